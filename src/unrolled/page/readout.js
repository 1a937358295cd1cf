
// Shows the values under the pointer. All of them stand in the tables too: without this script nothing is lost.
for (const plot of document.querySelectorAll(".plot")) {
  const readout = plot.parentElement.querySelector(".readout");
  const rule = plot.querySelector(".rule");
  const first = Number(plot.dataset.first);
  const last = Number(plot.dataset.last);
  const times = plot.dataset.times ? JSON.parse(plot.dataset.times) : null;
  const lines = Array.from(plot.querySelectorAll("[data-values]"), (path) => ({
    name: path.dataset.name,
    start: Number(path.dataset.start),
    values: path.dataset.values.split(" ").map(Number),
  }));
  plot.addEventListener("pointermove", (event) => {
    const box = plot.getBoundingClientRect();
    const share = Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1);
    const at = Math.round(first + share * (last - first));
    const x = `${(100 * (at - first)) / (last - first)}%`;
    rule.setAttribute("x1", x);
    rule.setAttribute("x2", x);
    rule.setAttribute("visibility", "visible");
    const seen = lines.filter((line) => Number.isFinite(line.values[at - line.start]));
    const parts = seen.map((line) => `${line.name} ${Number(line.values[at - line.start].toPrecision(4))}`);
    readout.textContent = [times ? times[at] : at, ...parts].join(" · ");
  });
  plot.addEventListener("pointerleave", () => {
    rule.setAttribute("visibility", "hidden");
    readout.textContent = "";
  });
}
