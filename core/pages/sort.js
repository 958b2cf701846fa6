// Clicking a header sorts the table by that column, clicking again the other way round; what is empty stays last.
for (const table of document.querySelectorAll("table")) {
  const heads = [...table.tHead.rows[0].cells], body = table.tBodies[0];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.append(...head.childNodes);
    head.append(button);
    button.onclick = () => {
      const sign = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      heads.forEach(other => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
      const key = row => row.cells[column].textContent.replace("undefined", "");
      const compare = (a, b) => isNaN(a) || isNaN(b) ? a.localeCompare(b, "en", { numeric: true }) : a - b;
      body.append(...[...body.rows].sort((one, other) => {
        const a = key(one), b = key(other);
        return a && b ? sign * compare(a, b) : !a - !b;
      }));
    };
  });
}
