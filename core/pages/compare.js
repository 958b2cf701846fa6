// Shows two runs side by side. It loads the results.js of both as scripts, because a page on disk cannot fetch files.
const form = document.querySelector(".tools"), said = document.getElementById("said");
const known = [...form.a.options].map(option => option.value), asked = new URLSearchParams(location.search);
const chosen = ["a", "b"].map((side, index) => {
  const page = known.includes(asked.get(side)) ? asked.get(side) : known[Math.min(index, known.length - 1)];
  form[side].value = page;
  form[side].onchange = () => location.search = new URLSearchParams({ a: form.a.value, b: form.b.value });
  return page;
});

// Each line of a results.js is a call result({...}); the row is stored on the script element that is running.
window.result = row => document.currentScript.rows.push(row);

function load(page) {
  const script = document.createElement("script");
  script.rows = [];
  script.base = page.split("/").slice(0, -1).map(encodeURIComponent).join("/") + "/";
  script.src = script.base + "results.js";
  return new Promise((resolve, reject) => {
    script.onload = () => resolve(script);
    script.onerror = () => reject(new Error(`${script.base}results.js cannot be read: test that run again.`));
    document.head.append(script);
  });
}

/** Create an element with attributes and children; string children become text, never HTML. */
function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function figure(images, caption, alt, ...handle) {
  const [, width, height] = images[0].image;
  const shown = images.map(({ image, base }) => element("img", {
    src: base + image[0], width: image[1], height: image[2], loading: "lazy", decoding: "async", alt }));
  return element("figure", { style: `--w:${width};--h:${height}` },
    element("div", { class: handle.length ? "frame slider" : "frame" }, ...shown, ...handle), caption);
}

function card(a, b, baseA, baseB, number) {
  const metrics = name => [new Map(a.metrics).get(name), new Map(b.metrics).get(name)];
  const common = a.metrics.map(([name]) => name).filter(name => metrics(name)[1] !== undefined);
  const differences = Object.fromEntries(common.map(name => [name, metrics(name)[1] - metrics(name)[0]]));
  const output = common.filter(name => !name.startsWith("input "));
  const slide = element("input", { type: "range", min: 0, max: 100, value: 50, "aria-label": "per cent showing A" });
  const same = a.images.output.slice(1).join() === b.images.output.slice(1).join();
  const [left, right] = [{ image: a.images.output, base: baseA }, { image: b.images.output, base: baseB }];
  const caption = text => element("figcaption", {}, text);
  const outputs = same
    ? [figure([left, right], element("figcaption", { class: "ends" }, element("span", {}, "A"), element("span", {}, "B")),
      `A and B of ${a.name}`, slide)]
    : [figure([left], caption("A"), `A of ${a.name}`), figure([right], caption("B"), `B of ${a.name}`)];
  const beside = ["input", "target"].filter(role => a.images[role]).map(role =>
    figure([{ image: a.images[role], base: baseA }], caption(role), `${role} of ${a.name}`));
  return element("article", { "data-metrics": JSON.stringify(differences), "data-ops": "[]" },
    element("header", {}, element("p", { class: "name" }, `${number} · ${a.name}`),
      element("h2", {}, a.request || "(no request)")),
    element("div", { class: "pair" }, ...outputs, ...beside),
    element("table", {}, element("thead", {}, element("tr", {}, ...["", "plan", ...output.map(short)].map(head =>
      element("th", { scope: "col" }, head)))),
    element("tbody", {}, ...[a, b].map((run, index) => element("tr", {}, element("th", { scope: "row" }, "AB"[index]),
      element("td", { class: "plan" }, run.plan.join(", ") || "nothing"),
      ...output.map(name => element("td", {}, metrics(name)[index].toPrecision(4))))))));
}

const short = name => name.replace(/^output /, "");

async function compare() {
  const [one, other] = await Promise.all(chosen.map(load));
  const key = row => JSON.stringify([row.name, row.request]);
  const partner = new Map(other.rows.map(row => [key(row), row]));
  const pairs = one.rows.filter(row => partner.has(key(row))).map(row => [row, partner.get(key(row))]);
  said.textContent = `A and B show ${one.rows.length} and ${other.rows.length} results, ${pairs.length} of them for the `
    + "same photo and request." + (pairs.length ? "" : " Choose two tests of the same data.");
  if (!pairs.length) return;
  said.after(...pairs.map(([a, b], index) => card(a, b, one.base, other.base, index + 1)));
  for (const name of ["output L1", "output CIEDE2000"].filter(name => pairs[0][0].metrics.some(([known]) => known === name)))
    for (const [end, better] of [["high", "A"], ["low", "B"]])
      form.sort.append(element("option", { value: name, "data-worst": end }, `largest ${short(name)} advantage of ${better}`));
  offerTools(form);
}
compare().catch(error => said.textContent = error.message);
