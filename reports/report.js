// Draws the charts from the data that stands in the page, lets a reader choose region and category for all of them, sorts
// and searches tables, and opens on paper what is folded on the screen.
(() => {
  "use strict";
  const config = { displayModeBar: false, responsive: true, doubleClick: false };
  const many = 30; // names from which a box finds them faster than two lists
  const words = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

  const make = (name, properties = {}, ...children) => {
    const node = Object.assign(document.createElement(name), properties);
    node.append(...children);
    return node;
  };

  const read = (figure, name) => {
    const node = figure.querySelector(`script.${name}`);
    return node ? JSON.parse(node.textContent) : null;
  };

  // --- charts -------------------------------------------------------------------------------------------------------------

  // With a viewBox a chart shrinks with the paper it is printed on.
  const fit = (plot) => plot.querySelectorAll(".main-svg").forEach((svg) => {
    const [width, height] = [svg.getAttribute("width"), svg.getAttribute("height")];
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    plot.style.setProperty("--ratio", width / height);
  });

  const nameOf = ([region, category]) => {
    if (region === "All") return category === "All" ? "Total" : category;
    return category === "All" ? region : `${region} / ${category}`;
  };

  // A region that has no series of a category cannot be chosen together with it.
  const limitCategories = (choices, region, category) => {
    const known = new Set(choices.filter((choice) => choice[0] === region.value).map((choice) => choice[1]));
    for (const option of category.options) option.disabled = !known.has(option.value);
    if (!known.has(category.value)) category.value = known.has("All") ? "All" : [...known][0];
  };

  const choose = (region, category) => document.dispatchEvent(new CustomEvent("choose", { detail: [region, category] }));

  // The table that belongs to a chart shows the numbers of the same choice, written out by the page.
  const fill = (id, name, rows, what) => {
    const table = id && document.getElementById(id);
    if (!table) return;
    const title = table.caption.querySelector("span");
    table.dataset.of ??= title.textContent.replace(/^Total: /, "");
    title.textContent = `${name}: ${(rows && what) || table.dataset.of}`;
    table.closest(".scroll").setAttribute("aria-label", title.textContent);
    table.closest(".scroll").hidden = !rows;
    if (!rows) return; // what was found by search has its numbers below the chart
    const dash = document.getElementById(`${id}-dash`);
    if (dash) dash.hidden = !rows.some((cells) => cells.includes("–"));
    rows.forEach((cells, i) => cells.forEach((text, j) => { table.tBodies[0].rows[i].cells[j].textContent = text; }));
  };

  const fillTiles = (id, tiles) => {
    const place = id && document.getElementById(id);
    if (!place) return;
    place.hidden = !tiles;
    (tiles || []).forEach(([label, value, more, kind], i) => {
      const tile = place.children[i];
      tile.className = `tile ${kind}`.trim();
      [label, value, more].forEach((text, j) => { tile.children[j].textContent = text; });
    });
  };

  // What is chosen stands below the title, with a cross that goes back to the total, and in the address, which can be sent.
  const say = (choice) => {
    const isTotal = nameOf(choice) === "Total";
    let place = document.querySelector("p.showing");
    if (!place) {
      const back = make("button", { type: "button", textContent: "✕", ariaLabel: "Show the total" });
      back.addEventListener("click", () => choose("All", "All"));
      place = make("p", { className: "showing" }, "Showing ", make("strong"), " ", back);
      document.querySelector("h1").after(place);
    }
    place.hidden = isTotal;
    place.querySelector("strong").textContent = nameOf(choice);
    const asked = new URLSearchParams();
    ["region", "category"].forEach((name, i) => { if (choice[i] !== "All") asked.set(name, choice[i]); });
    history.replaceState(null, "", isTotal ? location.pathname : `?${asked}`);
  };

  const asked = (search) => {
    const found = new URLSearchParams(search);
    return [found.get("region") || "All", found.get("category") || "All"];
  };

  // A name in a table, or in the address with which a page is opened, chooses as the lists do.
  const followLinks = (plot, choices) => {
    const go = ([region, category]) => {
      if (choices.some((choice) => choice[0] === region && choice[1] === category)) choose(region, category);
      else if (plot.find) plot.find(region, category);
    };
    document.addEventListener("click", (event) => {
      const link = event.target.closest('a.choose[href^="?"]');
      if (!link || event.metaKey || event.ctrlKey) return;
      event.preventDefault();
      go(asked(link.getAttribute("href")));
      document.querySelector("h1").scrollIntoView();
    });
    if (location.search) go(asked(location.search));
  };

  // What was found by search has months of its own.
  const months = (plot, { x }) => {
    if (x && !plot.own) plot.own = plot.data.map((trace) => trace.x);
    return plot.own ? { x: x || plot.own } : {};
  };

  // What is chosen goes along from page to page, by the menu and by the figures of the first page.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("nav a[href], a.whole");
    if (link && location.search) link.search = location.search;
  });

  const show = (figure, plot, choice, whole) => {
    const [region, category, values, range, rows, what] = choice;
    plot.setAttribute("aria-label", `Region ${region}, category ${category}. ${plot.dataset.label}`);
    figure.querySelector(".chosen").textContent = `Shown: ${nameOf(choice)}`;
    Plotly.update(plot, { y: values, ...months(plot, choice) }, whole ? { "yaxis.autorange": true } : { "yaxis.range": [...range] });
    fill(plot.dataset.table, nameOf(choice), rows, what);
    fillTiles(plot.dataset.tiles, choice.tiles);
    if (plot.dataset.tiles) say(choice);
  };

  // One box instead of two long lists: a name that is typed or picked chooses region and category.
  const addFinder = (figure, plot, choices) => {
    const names = choices.map((choice) => [nameOf(choice).toLowerCase(), choice]);
    const status = make("span", { className: "found" });
    status.setAttribute("role", "status");
    const list = make("datalist", { id: `${plot.id}-names` }, ...choices.map((choice) => make("option", { value: nameOf(choice) })));
    const input = make("input", { type: "search", className: "find", id: `${plot.id}-find`, placeholder: "region, category or series" });
    input.setAttribute("list", list.id);
    const find = (whole) => {
      const text = input.value.trim().toLowerCase();
      const words = text.split(/[\s/]+/).filter(Boolean);
      const all = names.filter(([name]) => words.every((word) => name.includes(word)));
      const [, found] = all.find(([name]) => name === text) || (whole && all[0]) || [];
      status.textContent = words.length && !all.length ? "No such name" : "";
      if (found && words.length) choose(found[0], found[1]);
    };
    input.addEventListener("input", () => find(false)); // a name that was picked or typed in full
    input.addEventListener("change", () => find(true)); // or the first that has all words
    const label = make("label", { htmlFor: input.id }, "Find ");
    label.append(input);
    figure.querySelector(".selectors").append(label, list, status);
  };

  const connectMenus = (figure, plot, choices, whole) => {
    const [region, category] = figure.querySelectorAll(".selectors select");
    if (!region) return () => choices[0];
    const chosen = () => choices.find((choice) => choice[0] === region.value && choice[1] === category.value);
    limitCategories(choices, region, category);
    for (const menu of [region, category]) {
      menu.addEventListener("change", () => {
        limitCategories(choices, region, category);
        choose(region.value, category.value);
      });
    }
    document.addEventListener("choose", ({ detail }) => {
      if (!choices.some((choice) => choice[0] === detail[0] && choice[1] === detail[1])) return;
      [region.value, category.value] = detail;
      limitCategories(choices, region, category);
      show(figure, plot, chosen(), whole && whole.checked);
    });
    if (plot.dataset.series && window.searchSeries) {
      plot.find = window.searchSeries(figure, plot, choices, (found) => {
        for (const [menu, name] of [[region, found[0]], [category, found[1]]]) {
          if (![...menu.options].some((option) => option.value === name)) menu.add(new Option(name, name));
        }
        choose(found[0], found[1]);
      });
    } else if (choices.length > many && !document.querySelector("[data-series]")) addFinder(figure, plot, choices);
    return chosen;
  };

  const connect = (figure, plot) => {
    const choices = read(figure, "choices");
    if (!choices) return;
    (read(figure, "texts") || []).forEach((tiles, i) => { choices[i].tiles = tiles; });
    const whole = figure.querySelector(".selectors input[type=checkbox]:not([data-group])");
    const chosen = connectMenus(figure, plot, choices, whole);
    if (plot.dataset.tiles) others.then(() => followLinks(plot, choices));
    if (!whole) return;
    const span = [...plot.layout.xaxis.range];
    whole.addEventListener("change", () => Plotly.relayout(plot, whole.checked
      ? { "xaxis.autorange": true, "yaxis.autorange": true }
      : { "xaxis.range": [...span], "yaxis.range": [...chosen()[3]] }));
  };

  // A group of lines that is drawn on request only.
  const connectBehind = (figure, plot) => {
    const box = figure.querySelector(".selectors [data-group]");
    if (!box) return;
    const places = plot.data.flatMap((trace, i) => (trace.legendgroup === box.dataset.group ? [i] : []));
    const follow = () => Plotly.restyle(plot, { visible: box.checked }, places);
    box.addEventListener("change", follow);
    if (box.checked) follow(); // a browser keeps the tick when a page is loaded again
  };

  const draw = async (figure) => {
    const plot = figure.querySelector(".plot");
    if (!window.Plotly) {
      const file = document.querySelector('script[src*="plotly"]')?.getAttribute("src");
      plot.textContent = `The chart cannot be drawn${file ? `: the file ${file} is missing` : ""}. The figures are in the tables.`;
      return;
    }
    const { data, layout } = read(figure, "figure");
    if (layout.height) plot.style.height = `${layout.height}px`; // or the chart would be lower once the window has changed
    await Plotly.newPlot(plot, data, layout, config);
    plot.on("plotly_afterplot", () => fit(plot));
    fit(plot);
    connect(figure, plot);
    connectBehind(figure, plot);
  };

  // The first chart at once, the others when the browser has time: the page can be read meanwhile. All are drawn within a second.
  const [first, ...rest] = document.querySelectorAll("figure.chart");
  const later = (task) => new Promise((done) => {
    (window.requestIdleCallback || ((run) => setTimeout(run, 50)))(() => done(task()), { timeout: 1000 });
  });
  const others = Promise.all(rest.map((figure) => later(() => draw(figure)))); // who chooses chooses for all of them
  if (first) draw(first);

  // --- tables -------------------------------------------------------------------------------------------------------------

  // «−1,234.5 %» as a number; a cell may say its value itself, and what is not known is null and comes last.
  const asNumber = (text) => {
    const found = text.match(/[+−-]?[\d,]*\.?\d+/);
    return found ? Number(found[0].replace("−", "-").replace(/[+,]/g, "")) : null;
  };

  const valueOf = (cell, numeric) => {
    const stated = cell.dataset.value;
    if (stated === undefined) return numeric ? asNumber((cell.firstChild || cell).textContent) : cell.textContent.trim();
    return numeric ? (stated === "" ? null : Number(stated)) : stated;
  };

  const sort = (table, heads, column) => {
    const [head, body] = [heads[column], table.tBodies[0]];
    const numeric = head.classList.contains("number");
    const before = head.getAttribute("aria-sort");
    const down = before ? before === "ascending" : numeric;
    heads.forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const rows = [...body.rows].filter((row) => !row.classList.contains("total"));
    const totals = [...body.rows].filter((row) => row.classList.contains("total"));
    const keyed = rows.map((row) => [valueOf(row.cells[column], numeric), row]);
    keyed.sort(([a], [b]) => {
      if (a === null || b === null) return (a === null) - (b === null);
      return (down ? -1 : 1) * (numeric ? a - b : words.compare(a, b));
    });
    body.append(...keyed.map(([, row]) => row), ...totals);
  };

  const makeSortable = (table) => {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      if (!head.textContent.trim()) return;
      const button = make("button", { type: "button" }, ...head.childNodes);
      button.addEventListener("click", () => sort(table, heads, column));
      head.append(button);
    });
  };

  // Every word must be somewhere in the row's names; the total stays in sight.
  const makeSearchable = (table, number) => {
    const rows = [...table.tBodies[0].rows].filter((row) => !row.classList.contains("total"));
    const names = rows.map((row) => [...row.cells[0].childNodes].map((node) => node.textContent).join(" ").toLowerCase());
    const input = make("input", { type: "search", className: "find", id: `find-${number}` });
    const status = make("span", { className: "found" });
    status.setAttribute("role", "status");
    input.addEventListener("input", () => {
      const wanted = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      rows.forEach((row, i) => { row.hidden = !wanted.every((word) => names[i].includes(word)); });
      const left = rows.filter((row) => !row.hidden).length;
      const found = left ? `${left.toLocaleString("en")} of ${rows.length.toLocaleString("en")}` : "No such name";
      status.textContent = wanted.length ? found : "";
    });
    const label = make("label", { htmlFor: input.id }, `Find a ${table.dataset.find} `);
    label.append(input);
    table.closest(".scroll").before(make("p", { className: "finder" }, label, status));
  };

  document.querySelectorAll("table.sortable").forEach(makeSortable);
  document.querySelectorAll("table[data-find]").forEach(makeSearchable);

  // --- paper --------------------------------------------------------------------------------------------------------------

  const folded = () => document.querySelectorAll("details:not([open]):not(.screen)");
  window.addEventListener("beforeprint", () => folded().forEach((node) => { node.open = node.dataset.opened = true; }));
  window.addEventListener("afterprint", () => document.querySelectorAll("details[data-opened]").forEach((node) => {
    node.open = false;
    delete node.dataset.opened;
  }));
})();
