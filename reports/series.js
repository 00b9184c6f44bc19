// Finds and draws any of very many series. Their names and values lie in files beside the page, which are loaded when somebody searches:
// as scripts that call `seriesFile`, because a page that is opened from a disk may not read files in any other way.
(() => {
  "use strict";
  const shown = 20; // names that are listed at a time
  const walk = 8; // traces of bounds that stand before the actuals, the back-test and the forecast
  const loading = new Map();
  const arrived = new Map();
  const order = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

  window.seriesFile = (name, content) => arrived.set(name, content);

  const load = (name) => {
    if (!loading.has(name)) {
      loading.set(name, new Promise((resolve, reject) => {
        const script = document.createElement("script");
        script.src = `series/${name}.js`;
        script.onload = () => (arrived.has(name) ? resolve(arrived.get(name)) : script.onerror());
        script.onerror = () => {
          loading.delete(name);
          script.remove();
          reject(new Error(`the file series/${name}.js is missing or damaged`));
        };
        document.head.append(script);
      }));
    }
    return loading.get(name);
  };

  const make = (name, properties = {}, ...children) => {
    const node = Object.assign(document.createElement(name), properties);
    node.append(...children);
    return node;
  };

  const nameOf = ([region, category]) => {
    if (region === "All") return category === "All" ? "Total" : category;
    return category === "All" ? region : `${region} / ${category}`;
  };

  // All names in the order of the files, each with what is searched in it.
  const index = async (domain) => {
    const about = await load(domain);
    const blocks = await Promise.all(Array.from({ length: about.names }, (_, n) => load(`${domain}-names-${n}`)));
    const names = blocks.flat().flatMap(([region, categories]) => categories.map((category) => [region, category]));
    return { about, names, searched: names.map((name) => nameOf(name).toLowerCase()) };
  };

  const values = async (domain, about, place) => {
    const rows = await load(`${domain}-${Math.floor(place / about.step)}`);
    return rows[place % about.step];
  };

  // --- numbers beside the chart ---------------------------------------------------------------------------------------------

  const months = new Intl.DateTimeFormat("en", { month: "long", year: "numeric", timeZone: "UTC" });
  const monthName = (day) => months.format(new Date(`${day}T00:00:00Z`));
  const yearBefore = (day) => `${day.slice(0, 4) - 1}${day.slice(4)}`;
  const write = (value, decimals, plus = "") => {
    if (value === null || value === undefined || !Number.isFinite(value)) return "–";
    const text = Math.abs(value).toLocaleString("en", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
    return (value < 0 ? "−" : value > 0 ? plus : "") + text;
  };

  // One row a month to come: the forecast, its bounds, and the same month of last year.
  const numbers = ([, , traces, , , known], x) => {
    const largest = Math.max(...traces[walk].map(Math.abs), 0);
    const decimals = known ?? (largest >= 100 ? 0 : largest >= 10 ? 1 : 2);
    const last = x[walk][x[walk].length - 1];
    const at = (trace, day) => traces[trace][x[trace].indexOf(day)] ?? null;
    const [hi95, lo95, hi80, lo80] = [4, 5, 6, 7];
    return x[walk + 2].filter((day) => day > last).map((day) => {
      const [now, before] = [at(walk + 2, day), at(walk, yearBefore(day))];
      const change = now !== null && before ? (100 * (now - before)) / Math.abs(before) : null;
      const cells = [now, at(lo80, day), at(hi80, day), at(lo95, day), at(hi95, day), before].map((value) => write(value, decimals));
      return [monthName(day), ...cells, change === null ? "–" : `${write(change, 1, "+")} %`];
    });
  };

  const heads = ["Month", "Forecast", "80 % from", "80 % to", "95 % from", "95 % to", "Same month last year", "Change"];

  const table = (caption, rows) => make("div", { className: "scroll", tabIndex: 0, role: "region", ariaLabel: caption }, make("table", {},
    make("caption", {}, make("span", { textContent: caption })),
    make("thead", {}, make("tr", {}, ...heads.map((text, i) => make("th", { scope: "col", className: i ? "number" : "", textContent: text })))),
    make("tbody", {}, ...rows.map((cells) => make("tr", {}, ...cells.map((text, i) => (i
      ? make("td", { className: "number", textContent: text })
      : make("th", { scope: "row", textContent: text }))))))));

  // --- the search -----------------------------------------------------------------------------------------------------------

  // Calls `chosen` with a choice like those of the page, which was added to `choices` where it was none of them; returns how to find one
  // by its region and category.
  window.searchSeries = (figure, plot, choices, chosen) => {
    const [domain, id] = [plot.dataset.series, `${plot.id}-search`];
    const { unit } = plot.dataset;
    const list = make("ul", { id: `${id}-list`, className: "names", role: "listbox", hidden: true, ariaLabel: "Names found" });
    const status = make("span", { className: "found", role: "status" });
    const input = make("input", { type: "search", className: "find", id, role: "combobox", autocomplete: "off", spellcheck: false });
    for (const [name, value] of [["aria-autocomplete", "list"], ["aria-controls", list.id], ["aria-expanded", "false"]]) {
      input.setAttribute(name, value);
    }
    const label = make("label", { htmlFor: id }, `Find any of ${plot.dataset.of} `);
    const box = make("p", { className: "finder search" }, label, input, status);
    const place = make("div", { className: "found-numbers" });
    figure.prepend(box, list);
    figure.querySelector("figcaption").after(place);

    let known;
    let found = [];
    let active = -1;
    const ready = async () => {
      if (!known) {
        status.textContent = "Loading the names …";
        known = index(domain);
        known.catch(() => { known = undefined; });
      }
      const loaded = await known;
      if (status.textContent === "Loading the names …") status.textContent = "";
      return loaded;
    };
    const fail = (error) => { status.textContent = `Nothing can be searched: ${error.message}. forecasts.parquet holds all series.`; };

    const close = () => {
      list.hidden = true;
      active = -1;
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
    };

    const mark = (next) => {
      list.children[active]?.setAttribute("aria-selected", "false");
      active = (next + found.length) % found.length;
      list.children[active].setAttribute("aria-selected", "true");
      list.children[active].scrollIntoView({ block: "nearest" });
      input.setAttribute("aria-activedescendant", list.children[active].id);
    };

    const pick = async (entry) => {
      close();
      try {
        const { about, names } = await ready();
        const [region, category] = names[entry];
        input.value = nameOf([region, category]);
        const [traces, range, decimals, isFallback] = await values(domain, about, entry);
        let choice = choices.find((each) => each[0] === region && each[1] === category);
        if (!choice?.x) {
          if (choice) choices.splice(choices.indexOf(choice), 1);
          choice = Object.assign([region, category, traces, range, undefined, decimals], { x: about.months, isFallback });
          choices.push(choice);
        }
        chosen(choice);
        status.textContent = `Shown: ${nameOf(choice)}`;
      } catch (error) {
        fail(error);
      }
    };

    const search = async () => {
      const wanted = input.value.toLowerCase().split(/[\s/]+/).filter(Boolean);
      if (!wanted.length) {
        status.textContent = "";
        close();
        return;
      }
      try {
        const { names, searched } = await ready();
        const all = [];
        searched.forEach((text, i) => { if (wanted.every((word) => text.includes(word))) all.push(i); });
        // Whole words before parts of them, whatever zeros a number begins with: «Shop 0001» before «Shop 0010», where «1» is wanted.
        const words = (text) => text.split(/[\s/]+/).map((word) => word.replace(/^0+(?=\d)/, ""));
        const plain = wanted.map((word) => word.replace(/^0+(?=\d)/, ""));
        const whole = (i) => plain.filter((word) => words(searched[i]).includes(word)).length;
        found = all.length > 5000 ? all.slice(0, shown) : all
          .map((i) => [whole(i), i]).sort(([a, i], [b, j]) => b - a || order.compare(searched[i], searched[j])).slice(0, shown).map(([, i]) => i);
        list.replaceChildren(...found.map((entry, i) => {
          const option = make("li", { id: `${id}-${i}`, role: "option", ariaSelected: "false", textContent: nameOf(names[entry]) });
          option.addEventListener("mousedown", (event) => event.preventDefault());
          option.addEventListener("click", () => pick(entry));
          return option;
        }));
        active = -1;
        list.hidden = !found.length;
        input.setAttribute("aria-expanded", String(found.length > 0));
        input.removeAttribute("aria-activedescendant");
        const n = all.length.toLocaleString("en");
        status.textContent = all.length > shown ? `${n} found; the first ${shown} are listed, type more to narrow them down`
          : all.length ? `${n} found` : "No such name";
      } catch (error) {
        fail(error);
      }
    };

    input.addEventListener("focus", () => ready().catch(fail));
    input.addEventListener("input", search);
    input.addEventListener("blur", close);
    input.addEventListener("keydown", (event) => {
      if (event.key === "Escape") close();
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        if (list.hidden) search();
        else mark(active < 0 && event.key === "ArrowUp" ? found.length - 1 : active + (event.key === "ArrowDown" ? 1 : -1));
      }
      if (event.key === "Enter" && !list.hidden && found.length) {
        event.preventDefault();
        pick(found[Math.max(active, 0)]);
      }
    });

    // The numbers of what was found; those of what the page itself holds stand in its own table.
    const own = plot.data.map((trace) => trace.x);
    document.addEventListener("choose", ({ detail }) => {
      const choice = choices.find((each) => each[0] === detail[0] && each[1] === detail[1]);
      if (!choice) return;
      if (nameOf(choice) === "Total" || choice[4]) { place.replaceChildren(); return; } // the page's own table has them
      const rows = numbers(choice, choice.x || own);
      const text = "No model could forecast it (it is too short, or has ended): the forecast is a fallback.";
      const note = choice.isFallback ? [make("p", { className: "note", textContent: text })] : [];
      place.replaceChildren(table(`${nameOf(choice)}: the next months${unit ? `, in ${unit}` : ""}`, rows), ...note);
    });

    return async (region, category) => {
      try {
        const { names } = await ready();
        const entry = names.findIndex((name) => name[0] === region && name[1] === category);
        if (entry >= 0) await pick(entry);
        else status.textContent = `No such name: ${nameOf([region, category])}`;
      } catch (error) {
        fail(error);
      }
    };
  };
})();
