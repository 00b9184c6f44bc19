// Draws the charts from the data that stands in the page, lets a reader choose region and category, and opens on paper
// what is folded on the screen.
(() => {
  "use strict";
  const config = { displayModeBar: false, responsive: true, doubleClick: false };

  const read = (figure, name) => {
    const node = figure.querySelector(`script.${name}`);
    return node ? JSON.parse(node.textContent) : null;
  };

  // With a viewBox a chart shrinks with the paper it is printed on.
  const fit = (plot) => plot.querySelectorAll(".main-svg").forEach((svg) => {
    const [width, height] = [svg.getAttribute("width"), svg.getAttribute("height")];
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    plot.style.setProperty("--ratio", width / height);
  });

  // A region that has no series of a category cannot be chosen together with it.
  const limitCategories = (choices, region, category) => {
    const known = new Set(choices.filter((choice) => choice[0] === region.value).map((choice) => choice[1]));
    for (const option of category.options) option.disabled = !known.has(option.value);
    if (!known.has(category.value)) category.value = known.has("All") ? "All" : [...known][0];
  };

  const select = (plot, choices, region, category, whole) => {
    limitCategories(choices, region, category);
    const [regionName, categoryName, values, range] = choices.find((choice) => choice[0] === region.value && choice[1] === category.value);
    const shown = `Region ${regionName}, category ${categoryName}. ${plot.dataset.label}`;
    plot.setAttribute("aria-label", shown);
    Plotly.update(plot, { y: values }, whole ? { "yaxis.autorange": true } : { "yaxis.range": [...range] });
  };

  const connect = (figure, plot) => {
    const [region, category] = figure.querySelectorAll(".selectors select");
    const choices = read(figure, "choices");
    const whole = figure.querySelector(".selectors input");
    const span = [...plot.layout.xaxis.range];
    let range = () => choices[0][3];
    if (region) {
      limitCategories(choices, region, category);
      range = () => choices.find((choice) => choice[0] === region.value && choice[1] === category.value)[3];
      for (const menu of [region, category]) {
        menu.addEventListener("change", () => select(plot, choices, region, category, whole && whole.checked));
      }
    }
    if (whole) {
      whole.addEventListener("change", () => Plotly.relayout(plot, whole.checked
        ? { "xaxis.autorange": true, "yaxis.autorange": true }
        : { "xaxis.range": [...span], "yaxis.range": [...range()] }));
    }
  };

  const draw = async (figure) => {
    const plot = figure.querySelector(".plot");
    if (!window.Plotly) {
      plot.textContent = "The chart needs the file plotly.min.js beside this page. The figures are in the tables.";
      return;
    }
    const { data, layout } = read(figure, "figure");
    await Plotly.newPlot(plot, data, layout, config);
    plot.on("plotly_afterplot", () => fit(plot));
    fit(plot);
    connect(figure, plot);
  };

  document.querySelectorAll("figure.chart").forEach(draw);

  const folded = () => document.querySelectorAll("details:not([open]):not(.screen)");
  window.addEventListener("beforeprint", () => folded().forEach((node) => { node.open = node.dataset.opened = true; }));
  window.addEventListener("afterprint", () => document.querySelectorAll("details[data-opened]").forEach((node) => {
    node.open = false;
    delete node.dataset.opened;
  }));
})();
