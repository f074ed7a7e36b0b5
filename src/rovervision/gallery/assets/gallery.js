"use strict";
(() => {
  document.documentElement.classList.add("js");

  const PAIRS = [
    ["gray", "predicted", "input and prediction"],
    ["predicted", "truth", "prediction and truth"],
    ["predicted", "error", "prediction and its error"],
    ["error", "doubt", "error and expected error"],
  ];

  function made(name, attributes = {}, ...inside) {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...inside);
    return element;
  }

  /* Two pictures, one above the other, and a line that can be pulled across. */
  function compare(figure, number) {
    const views = new Map([...figure.querySelectorAll("[data-view]")].map((each) => [each.dataset.view, each]));
    const pairs = PAIRS.filter(([left, right]) => views.has(left) && views.has(right));
    if (!pairs.length) return;
    const first = views.values().next().value.querySelector("img");
    const size = { width: first.getAttribute("width"), height: first.getAttribute("height") };
    const left = made("img", { ...size, class: "under" });
    const right = made("img", { ...size, class: "over" });
    const tags = ["left", "right"].map((side) => made("span", { class: `tag at-${side}`, "aria-hidden": "true" }));
    const edge = made("span", { class: "edge", "aria-hidden": "true" });
    const range = made("input", { type: "range", min: "0", max: "100", step: "1", value: "50" });
    const stage = made("div", { class: "stage" }, left, right, ...tags, edge, range);
    let names = ["", ""];

    function place() {
      stage.style.setProperty("--at", `${range.value}%`);
      range.setAttribute("aria-valuetext", `${range.value} % ${names[0]}, the rest ${names[1]}`);
      tags[0].classList.toggle("gone", range.value < 12);
      tags[1].classList.toggle("gone", range.value > 88);
    }

    function show([under, over, said]) {
      for (const [image, key] of [[left, under], [right, over]]) {
        const source = views.get(key).querySelector("img");
        image.src = source.src;
        image.alt = source.alt;
      }
      names = [under, over].map((key) => views.get(key).dataset.label);
      tags.forEach((tag, side) => { tag.textContent = names[side]; });
      range.setAttribute("aria-label", `${figure.dataset.title}: ${said}; where they meet`);
      place();
    }

    range.addEventListener("input", place);
    figure.prepend(stage);
    if (pairs.length > 1) {
      const choices = made("fieldset", { class: "pairs" }, made("legend", { class: "sr" }, "What to compare"));
      pairs.forEach((pair, index) => {
        const radio = made("input", { type: "radio", name: `pair-${number}`, value: String(index) });
        radio.checked = index === 0;
        radio.addEventListener("change", () => show(pair));
        choices.append(made("label", {}, radio, made("span", {}, pair[2])));
      });
      stage.after(choices);
    }
    show(pairs[0]);
  }

  document.querySelectorAll("[data-compare]").forEach(compare);

  /* The map: pictures where there is room, dots where there is none. */
  function chart(figure) {
    const { x, y, cluster, text, columns } = JSON.parse(figure.querySelector("script").textContent);
    const sheet = figure.querySelector(".source img");
    const board = figure.querySelector(".board");
    const told = figure.querySelector(".told");
    const room = figure.closest("section");
    const buttons = [...room.querySelectorAll("[data-cluster]")];
    const names = new Map(buttons.map((each) => [Number(each.dataset.cluster), each.textContent.trim()]));
    const canvas = made("canvas");
    const pen = canvas.getContext("2d");
    board.append(canvas);
    let chosen = null;
    let current = -1;
    let places = [];
    let side = 40;

    function cell(index) {
      const px = sheet.naturalWidth / columns;
      return [(index % columns) * px, Math.floor(index / columns) * px, px, px];
    }

    function stamp(index, width) {
      const [left, top] = places[index];
      pen.drawImage(sheet, ...cell(index), left - width / 2, top - width / 2, width, width);
    }

    function color(name) {
      return getComputedStyle(figure).getPropertyValue(name).trim();
    }

    function draw() {
      const scale = window.devicePixelRatio || 1;
      const { clientWidth: width, clientHeight: height } = board;
      if (!width || !height || !sheet.naturalWidth) return;
      canvas.width = Math.round(width * scale);
      canvas.height = Math.round(height * scale);
      pen.setTransform(scale, 0, 0, scale, 0, 0);
      side = (width < 600 ? 30 : 54) * (chosen === null ? 1 : 0.7);
      const inset = side / 2 + 4;
      places = x.map((each, index) => [inset + each * (width - 2 * inset), inset + y[index] * (height - 2 * inset)]);
      pen.clearRect(0, 0, width, height);
      const order = places.map((_, index) => index);
      const mine = (index) => chosen === null || cluster[index] === chosen;
      pen.fillStyle = color("--muted");
      for (const index of order) {
        pen.globalAlpha = mine(index) ? 0.7 : 0.18;
        pen.beginPath();
        pen.arc(...places[index], 2, 0, 7);
        pen.fill();
      }
      const taken = [];
      for (const index of order.filter(mine)) {
        const [left, top] = places[index];
        if (taken.every(([a, b]) => Math.max(Math.abs(a - left), Math.abs(b - top)) >= side)) {
          taken.push(places[index]);
          pen.globalAlpha = 1;
          stamp(index, side - 2);
        }
      }
      pen.globalAlpha = 1;
      if (current >= 0) enlarge(width, height);
    }

    function enlarge(width, height) {
      const large = width < 600 ? 112 : 152;
      const [left, top] = places[current];
      const at = [Math.min(Math.max(left - large / 2, 4), width - large - 4), Math.min(Math.max(top - large / 2, 4), height - large - 4)];
      pen.fillStyle = color("--accent");
      pen.fillRect(at[0] - 3, at[1] - 3, large + 6, large + 6);
      pen.drawImage(sheet, ...cell(current), ...at, large, large);
    }

    function point(index) {
      if (index === current) return;
      current = index;
      told.textContent = index < 0 ? "" : `${text[index]} – ${names.get(cluster[index]) || "no group"}`;
      draw();
    }

    function nearest(event) {
      const box = canvas.getBoundingClientRect();
      const [left, top] = [event.clientX - box.left, event.clientY - box.top];
      let best = -1;
      let far = side;
      places.forEach(([a, b], index) => {
        const apart = Math.hypot(a - left, b - top);
        if (apart < far && (chosen === null || cluster[index] === chosen)) [best, far] = [index, apart];
      });
      return best;
    }

    function choose(number) {
      chosen = number === chosen ? null : number;
      current = -1;
      buttons.forEach((each) => each.setAttribute("aria-pressed", String(Number(each.dataset.cluster) === chosen)));
      told.textContent = chosen === null ? "All groups." : `Only group ${names.get(chosen)}.`;
      draw();
    }

    function step(by) {
      const order = x.map((_, index) => index).filter((index) => chosen === null || cluster[index] === chosen);
      order.sort((a, b) => x[a] - x[b]);
      const place = order.indexOf(current);
      point(order[(place < 0 ? (by > 0 ? 0 : order.length - 1) : place + by + order.length) % order.length]);
    }

    canvas.addEventListener("pointermove", (event) => point(nearest(event)));
    canvas.addEventListener("pointerdown", (event) => point(nearest(event)));
    canvas.addEventListener("pointerleave", () => point(-1));
    buttons.forEach((each) => each.addEventListener("click", () => choose(Number(each.dataset.cluster))));
    figure.querySelectorAll("[data-step]").forEach((each) => each.addEventListener("click", () => step(Number(each.dataset.step))));
    figure.querySelector("[data-all]").addEventListener("click", () => choose(chosen));
    new ResizeObserver(draw).observe(board);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
    if (sheet.complete) draw();
    sheet.addEventListener("load", draw);
  }

  document.querySelectorAll("[data-map]").forEach(chart);
})();
