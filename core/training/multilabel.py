"""Training of multi-label classifiers: flags, construction and validation."""
import torch

from core.engine.options import OFF, number
from core.files import UserError
from core.methods.multilabel import classify
from core.metrics.roc import roc
from core.models.multilabel import OperatorClassifier, OperatorClassifierConfig
from core.models.vision import ENCODERS


def add_classifier(parser):
    """Add the flags of a multi-label classifier; return the parser."""
    parser.set_defaults(dataset="GIER", session=3)
    group = parser.add_argument_group("classifier")
    group.add_argument("--vis_encoder", default="resnet18", choices=ENCODERS, help="encoder of the input photo")
    group.add_argument("--image_blind", **OFF, help="no visual feature: the images are not needed")
    group.add_argument("--text_blind", **OFF, help="control: replace every request by the same words")
    group.add_argument("--lang_encoder", default="words", choices=("words", "minilm"), help="input of the LSTM that "
                       "reads the request: word vectors, or states of the frozen sentence encoder all-MiniLM-L6-v2")
    group.add_argument("--hidden_size", type=number(int, 2), default=256, help="size of the LSTM and of the head")
    group.add_argument("--pool_words", **OFF, help="read the maximum over the words' states, too, not only the last "
                       "states")
    group.add_argument("--dropout", type=number(float, 0, 0.99), default=0.0, help="dropout on word vectors, LSTM "
                       "states and the head")
    group.add_argument("--merge", **OFF, help="count lightness and exposure as brightness, and black&white as "
                       "saturation; this changes the labels, so figures with and without it do not compare")
    return parser


def build_classifier(options, language):
    """Return a new classifier, as `add_classifier`'s flags describe it, and its optimizer. Raises UserError."""
    if options.hidden_size % 2:
        raise UserError(f"--hidden_size {options.hidden_size}: give an even number, half for each reading direction")
    config = OperatorClassifierConfig(
        words=() if language.minilm else language.vocab.names,
        operators=tuple(operator.name for _, operator in language.operators.operators),
        hidden_size=options.hidden_size, vector_size=language.vector_size,
        fixed_vectors=language.vectors is not None, lang_encoder=options.lang_encoder,
        vis_encoder=None if options.image_blind else options.vis_encoder, pool_words=options.pool_words,
        dropout=options.dropout, text_blind=options.text_blind)
    network = OperatorClassifier(config, language.vectors, language.minilm)
    return network, torch.optim.Adam([p for p in network.parameters() if p.requires_grad], options.learning_rate)


def validate_classifier(network, samples, device):
    """Return the pooled area under the ROC curve on a validation set; .5 where it is undefined."""
    area = roc(classify(network, samples, device), samples.labels.numpy() > 0.5)
    return 0.5 if area is None else area
