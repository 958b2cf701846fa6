// Tools of a page of results: the slider of each result, and a form that sorts and filters the results.
document.addEventListener("input", event => {
  const slider = event.target.closest(".slider");
  if (slider) slider.style.setProperty("--share", event.target.value + "%");
});

function offerTools(form) {
  const articles = [...document.querySelectorAll("article")];
  const about = new Map(articles.map(article => [article, {
    metrics: JSON.parse(article.dataset.metrics), ops: JSON.parse(article.dataset.ops),
    request: article.querySelector("h2").textContent.toLowerCase(),
  }]));
  let order = 0;   // index of the option by which the results are sorted

  function sort() {
    const { value: name, dataset: { worst } } = form.sort.selectedOptions[0], sign = worst === "low" ? 1 : -1;
    const key = article => sign * (about.get(article).metrics[name] ?? sign * Infinity);   // unmeasured results are last
    const sorted = name ? [...articles].sort((a, b) => key(a) - key(b) || 0) : articles;
    articles[0].parentNode.append(...sorted);
    order = form.sort.selectedIndex;
  }

  function arrange() {
    if (form.sort.selectedIndex !== order) sort();
    const words = form.words.value.toLowerCase().split(/\s+/).filter(Boolean), operator = form.operator?.value;
    let shown = 0;
    for (const [article, { ops, request }] of about) {
      article.hidden = !(words.every(word => request.includes(word)) && (!operator || ops.includes(operator)));
      shown += !article.hidden;
    }
    form.shown.value = shown === articles.length ? `${shown} results` : `${shown} of ${articles.length} results`;
  }
  form.addEventListener("input", arrange);
  form.addEventListener("submit", event => event.preventDefault());
  arrange();   // after "back", the browser has kept the form's values
}

if (document.querySelector("article")) offerTools(document.querySelector(".tools"));
