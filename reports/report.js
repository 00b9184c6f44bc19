// Draws the charts from the data that stands in the page, and lets a reader choose region and category.
(() => {
  "use strict";
  const config = { displayModeBar: false, responsive: true };

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

  const select = (plot, choices, region, category) => {
    limitCategories(choices, region, category);
    const [regionName, categoryName, values] = choices.find((choice) => choice[0] === region.value && choice[1] === category.value);
    const shown = `Region ${regionName}, category ${categoryName}. ${plot.dataset.label}`;
    plot.setAttribute("aria-label", shown);
    Plotly.update(plot, { y: values }, { "yaxis.autorange": true });
  };

  const connect = (figure, plot) => {
    const [region, category] = figure.querySelectorAll(".selectors select");
    if (!region) return;
    const choices = read(figure, "choices");
    limitCategories(choices, region, category);
    for (const menu of [region, category]) {
      menu.addEventListener("change", () => select(plot, choices, region, category));
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
})();
