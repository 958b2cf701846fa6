"""XMP packets: sound ones are kept, damaged ones are left out with a note, and no packet is dangerous."""
from xml.etree import ElementTree

import pytest

from core.photo.metadata import edited_xmp

PACKET = ('<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
          '%s</rdf:RDF></x:xmpmeta>')
RATED = '<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4"/>'
LEFT_OUT = ["its XMP data is damaged or too large and was left out"]

DAMAGED = {
    "entities": '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + PACKET % "&b;",
    "entities behind a section": '<!<![CDATA[DOCTYPE x [<!ENTITY a "aaaa">]>' + PACKET % "&a;",
    "UTF-8": (PACKET % RATED).encode() + b"\xc3\xff", "UTF-16": (PACKET % RATED).encode("utf-16"),
    "no RDF": '<x:xmpmeta xmlns:x="adobe:ns:meta/"/>', "blank": " ", "no XML": "hello",
    "cut short": PACKET[:-9] % RATED,
    "nested": PACKET % ("<rdf:li>" * 5000 + "</rdf:li>" * 5000), "too large": PACKET % (" " * 2**20),
    "a control character": PACKET % '<rdf:Description rdf:about="&#1;"/>',
    "namespaces": PACKET % "".join(f'<rdf:Description xmlns:p{index}="urn:{index}"/>' for index in range(5000))}


@pytest.mark.parametrize("kind", DAMAGED)
@pytest.mark.parametrize("plan", [None, "{}"])
def test_a_damaged_packet_is_left_out(kind, plan):
    xmp = DAMAGED[kind]
    packet, notes = edited_xmp(xmp if isinstance(xmp, bytes) else xmp.encode(), plan, (30, 20))
    assert notes == LEFT_OUT
    assert (packet == b"") == (plan is None)
    assert plan is None or b'EditedBy="LDIE"' in packet


@pytest.mark.parametrize("packet", [
    PACKET % RATED, "<!-- written by hand -->" + PACKET % RATED, PACKET % ("<!-- here -->" + RATED),
    '<?xml version="1.0" encoding="iso-8859-1"?>' + PACKET % RATED,
    PACKET % (RATED + '<rdf:Description xmlns:a="urn:a"><a:text><![CDATA[<a>&]]></a:text></rdf:Description>'),
    PACKET % (RATED + "<rdf:Description xmlns:a='urn:a' a:text='xmlns:xmlns=\"urn:b\" xmlns:xml=\"urn:c\"'/>"),
    PACKET % (RATED + '<rdf:Description xmlns:ns0="urn:a" xmlns:rdf2="urn:b" ns0:text="1" rdf2:text="2"/>')])
def test_a_sound_packet_is_kept(packet):
    edited, notes = edited_xmp(packet.encode(), "{}", (30, 20))
    assert notes == []
    assert b'xmp:Rating="4"' in edited
    ElementTree.fromstring(edited.decode().split("?>", 1)[1].rsplit("<?", 1)[0])
