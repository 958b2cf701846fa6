// The table of runs: a click on a header sorts the rows, empty cells last; a form finds rows and compares two runs.
const table = document.querySelector("table"), form = document.querySelector(".tools");
const heads = [...table.tHead.rows[0].cells], body = table.tBodies[0], rows = [...body.rows];

heads.forEach((head, column) => {
  if (!column) return;
  const button = document.createElement("button");
  button.append(...head.childNodes);
  head.append(button);
  button.onclick = () => {
    const sign = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
    heads.forEach(other => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
    const key = row => row.cells[column].dataset.value ?? row.cells[column].textContent;
    const compare = (a, b) => isNaN(a) || isNaN(b) ? a.localeCompare(b, "en", { numeric: true }) : a - b;
    body.append(...[...body.rows].sort((one, other) => {
      const a = key(one), b = key(other);
      return a && b ? sign * compare(a, b) : !a - !b;
    }));
  };
});

form.words.addEventListener("input", () => {
  const words = form.words.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const row of rows) row.hidden = !words.every(word => row.textContent.toLowerCase().includes(word));
  const shown = rows.filter(row => !row.hidden).length;
  form.shown.value = shown === rows.length ? `${shown} runs` : `${shown} of ${rows.length} runs`;
});

let ticked = [];   // in the order of ticking; a third tick removes the first
body.addEventListener("change", ({ target }) => {
  ticked = ticked.filter(other => other !== target);
  if (target.checked) ticked.push(target);
  if (ticked.length > 2) ticked.shift().checked = false;
  form.querySelector("button").disabled = ticked.length !== 2;
});
form.addEventListener("submit", event => {
  event.preventDefault();
  const [a, b] = ticked.map(tick => tick.value);
  if (b !== undefined) location.href = "compare.html?" + new URLSearchParams({ a, b });
});
