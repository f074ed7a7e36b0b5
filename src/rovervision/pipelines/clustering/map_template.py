"""What the interactive map is made of: the page around the numbers."""

from typing import Final

TEMPLATE: Final = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>A map of what the rovers saw</title>
<link rel="icon" href="data:,">
<style>
  :root { --ink: #2b2320; --muted: #7a6f69; --faint: #e6e0dc; }
  * { box-sizing: border-box; }
  html, body { margin: 0; height: 100%; color: var(--ink); background: #fff; font: 14px/1.4 system-ui, sans-serif; }
  body { display: flex; flex-direction: column; height: 100dvh; }
  header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 4px 18px; padding: 10px 16px 6px; }
  h1 { font-size: 17px; font-weight: 600; margin: 0; }
  header p { margin: 0; color: var(--muted); flex: 1 1 auto; }
  label, button { color: var(--muted); }
  select, button { font: inherit; color: var(--ink); border: 1px solid #cfc6c0; border-radius: 6px; background: #fff;
    padding: 5px 10px; }
  main { flex: 1 1 auto; min-height: 0; display: flex; }
  #stage { flex: 1 1 auto; min-width: 0; min-height: 0; position: relative; }
  #map { position: absolute; inset: 0; }
  #legend { flex: 0 0 300px; overflow-y: auto; padding: 4px 12px 12px 4px; margin: 0; list-style: none; }
  #legend button { display: flex; gap: 8px; align-items: center; width: 100%; border: 0; padding: 3px 4px;
    text-align: left; cursor: pointer; font-size: 13px; line-height: 1.25; }
  #legend button:hover, #legend button:focus-visible { background: #f6f2ef; }
  #legend i { flex: 0 0 12px; height: 12px; border-radius: 3px; }
  #legend span { flex: 1 1 auto; }
  #legend b { font-weight: 400; color: var(--muted); font-variant-numeric: tabular-nums; }
  #legend .off { opacity: 0.3; }
  #scale { padding: 4px; color: var(--muted); font-size: 13px; }
  #scale div { height: 12px; border-radius: 3px; margin: 6px 0 2px; }
  #legend #scale span { flex: 0 0 auto; }
  #scale p { display: flex; justify-content: space-between; margin: 0; }
  #card { position: fixed; display: none; z-index: 5; width: 220px; padding: 8px; background: #fff;
    border: 1px solid #cfc6c0; border-radius: 8px; box-shadow: 0 3px 14px rgba(43, 35, 32, 0.18);
    pointer-events: none; font-size: 12px; overflow-wrap: anywhere; }
  #card .picture { width: 202px; height: 202px; border-radius: 4px; background-repeat: no-repeat; }
  #card dl { display: grid; grid-template-columns: auto 1fr; gap: 1px 8px; margin: 6px 0 0; }
  #card dt { color: var(--muted); } #card dd { margin: 0; }
  #names { display: none; }
  @media (max-width: 760px) {
    header { padding: 8px 10px 4px; } h1 { flex: 1 1 100%; } header p { flex-basis: 100%; order: 3; font-size: 12px; }
    #names { display: inline-block; }
    main { flex-direction: column; }
    #legend { display: none; flex: 0 1 42%; padding: 4px 10px 10px; columns: 2; column-gap: 8px; }
    #legend.open { display: block; }
    #legend li { break-inside: avoid; }
    #card { left: 8px !important; right: 8px; top: auto !important; bottom: 8px; width: auto; display: none;
      gap: 10px; }
    #card .picture { flex: 0 0 110px; width: 110px; height: 110px; }
  }
</style>
</head>
<body>
<header>
  <h1>A map of what the rovers saw</h1>
  <p id="about"></p>
  <label>colour by <select id="by"></select></label>
  <button id="names" type="button" aria-expanded="false">names</button>
</header>
<main><div id="stage"><div id="map"></div></div><ul id="legend"></ul></main>
<div id="card" role="status"></div>
<script>@@PLOTLY@@</script>
<script id="data" type="application/json">@@DATA@@</script>
<script>
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const map = document.getElementById("map"), legend = document.getElementById("legend");
const card = document.getElementById("card"), by = document.getElementById("by");
const narrow = window.matchMedia("(max-width: 760px)");
const canvas = document.createElement("canvas");
const kind = canvas.getContext("webgl2") || canvas.getContext("webgl") ? "scattergl" : "scatter";
const size = data.x.length > 20000 ? 3 : data.x.length > 3000 ? 5 : 7;
const cividis = ["#00224e", "#35456c", "#666970", "#948e77", "#c8b866", "#fee838"];
let hidden = new Set();

document.getElementById("about").textContent = data.about;
const ways = Object.keys(data.groups);
if (data.sol.some(sol => sol !== null)) ways.splice(2, 0, "sol");
for (const way of ways) by.add(new Option(way, way));
if (ways.includes(wish().get("by"))) by.value = wish().get("by");

function marks(rows, marker) {
  return { type: kind, mode: "markers", hoverinfo: "none", showlegend: false,
    marker: { size, opacity: 0.85, ...marker },
    x: rows.map(row => data.x[row]), y: rows.map(row => data.y[row]), customdata: rows };
}

function byGroup(group) {
  const rows = group.names.map(() => []);
  group.of.forEach((number, row) => rows[number].push(row));
  return rows.map((members, number) => ({ ...marks(members, { color: group.colors[number] }),
    name: group.names[number], visible: !hidden.has(number) }));
}

function bySol() {
  const all = data.sol.map((_, row) => row), dated = all.filter(row => data.sol[row] !== null);
  const colorscale = cividis.map((color, step) => [step / (cividis.length - 1), color]);
  return [marks(all.filter(row => data.sol[row] === null), { color: "#d8d2cd" }),
    marks(dated, { color: dated.map(row => data.sol[row]), colorscale })];
}

function writeLegend(way) {
  legend.replaceChildren();
  if (way === "sol") {
    const sols = data.sol.filter(sol => sol !== null), item = document.createElement("li");
    const ends = [Math.min, Math.max].map(choose => sols.reduce((one, other) => choose(one, other)));
    item.id = "scale";
    item.innerHTML = "sol, counted from each rover's landing<div></div><p><span></span><span></span></p>";
    item.querySelector("div").style.background = `linear-gradient(90deg, ${cividis.join(",")})`;
    item.querySelectorAll("span").forEach((end, number) => { end.textContent = ends[number]; });
    legend.append(item);
    return;
  }
  const group = data.groups[way], counts = group.names.map(() => 0);
  group.of.forEach(number => { counts[number] += 1; });
  group.names.forEach((name, number) => {
    const item = document.createElement("li"), button = document.createElement("button");
    button.type = "button";
    button.title = "show or hide; double click: this one alone";
    for (const part of ["i", "span", "b"]) button.append(document.createElement(part));
    button.children[0].style.background = group.colors[number];
    button.children[1].textContent = name;
    button.children[2].textContent = counts[number].toLocaleString("en");
    button.classList.toggle("off", hidden.has(number));
    button.addEventListener("click", () => {
      if (hidden.has(number)) hidden.delete(number); else hidden.add(number);
      draw();
    });
    button.addEventListener("dblclick", () => {
      const alone = group.names.every((_, other) => hidden.has(other) !== (other === number));
      hidden = new Set(alone ? [] : group.names.map((_, other) => other).filter(other => other !== number));
      draw();
    });
    item.append(button);
    legend.append(item);
  });
}

const layout = { margin: { l: 8, r: 8, t: 4, b: 8 }, dragmode: "pan", hovermode: "closest", hoverdistance: 12,
  uirevision: "kept", plot_bgcolor: "#fff", paper_bgcolor: "#fff",
  xaxis: { visible: false }, yaxis: { visible: false, scaleanchor: "x" } };
const settings = { responsive: true, scrollZoom: true, displaylogo: false, displayModeBar: !narrow.matches,
  modeBarButtons: [["toImage", "zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d"]] };

function draw() {
  const way = by.value;
  writeLegend(way);
  return Plotly.react(map, way === "sol" ? bySol() : byGroup(data.groups[way]), layout, settings);
}

function show(row, x, y) {
  const full = data.columns * data.columns, sheet = Math.floor(row / full), place = row % full;
  const facts = { frame: data.frame[row], sol: data.sol[row] };
  for (const way of Object.keys(data.groups)) facts[way] = data.groups[way].names[data.groups[way].of[row]];
  const picture = document.createElement("div"), list = document.createElement("dl");
  picture.className = "picture";
  for (const [name, fact] of Object.entries(facts)) {
    if (fact === null) continue;
    const term = document.createElement("dt"), value = document.createElement("dd");
    term.textContent = name;
    value.textContent = fact;
    list.append(term, value);
  }
  card.replaceChildren(picture, list);
  card.style.display = narrow.matches ? "flex" : "block";
  const edge = 1.5, scale = picture.clientWidth / (data.side - 2 * edge);  // neighbours on the sheet bleed into edges
  const [left, top] = [place % data.columns, Math.floor(place / data.columns)]
    .map(number => -(number * data.side + edge) * scale);
  picture.style.backgroundImage = `url(${data.sheets[sheet]})`;
  picture.style.backgroundSize = `${data.columns * data.side * scale}px auto`;
  picture.style.backgroundPosition = `${left}px ${top}px`;
  const room = card.getBoundingClientRect();
  card.style.left = `${x + 18 + room.width > innerWidth ? Math.max(4, x - 18 - room.width) : x + 18}px`;
  card.style.top = `${Math.max(4, Math.min(y - 40, innerHeight - room.height - 8))}px`;
}

function wish() { return new URLSearchParams(location.hash.slice(1)); }

function showNamed() {
  const row = Number(wish().get("tile") ?? NaN);
  if (!(row < data.x.length)) return;
  const area = map.getBoundingClientRect(), { xaxis, yaxis } = map._fullLayout;
  show(row, area.left + xaxis._offset + xaxis.d2p(data.x[row]), area.top + yaxis._offset + yaxis.d2p(data.y[row]));
}

draw().then(() => {
  map.on("plotly_hover", event => show(event.points[0].customdata, event.event.clientX, event.event.clientY));
  map.on("plotly_unhover", () => { if (!narrow.matches) card.style.display = "none"; });
  map.on("plotly_relayout", () => { card.style.display = "none"; });
  showNamed();
});
by.addEventListener("change", () => { hidden = new Set(); draw(); });
addEventListener("hashchange", showNamed);
document.getElementById("names").addEventListener("click", event => {
  const open = legend.classList.toggle("open");
  event.currentTarget.setAttribute("aria-expanded", open);
  Plotly.Plots.resize(map);
});
</script>
</body>
</html>
"""
"""Plotly's library goes to @@PLOTLY@@ and the numbers to @@DATA@@. `#tile=12&by=sol` after its name shows a tile."""
