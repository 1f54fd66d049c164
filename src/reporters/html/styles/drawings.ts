/** Charts, timelines and screens. */
export const DRAWINGS = `
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); gap: 1.25rem 2rem; }
.chart { margin: 0; min-width: 0; } .chart > svg { width: 100%; height: auto; display: block; max-width: 34rem; }
.chart figcaption { font-weight: 600; font-size: .95rem; margin-bottom: .35rem; }
.legend { font-weight: 400; font-size: .85rem; color: var(--muted); } .legend > span { white-space: nowrap; margin-left: .6rem; }
.key { width: 1.4rem; height: .5rem; vertical-align: .05em; }
.grid { stroke: var(--grid); stroke-width: 1; fill: none; } .tick { font: 10.5px system-ui, sans-serif; fill: var(--muted); }
.tick.y, .tick.end { text-anchor: end; } .tick.mid { text-anchor: middle; }
.line { fill: none; stroke-width: 1.8; stroke-linejoin: round; } .dot { stroke-width: 1.6; }
.line.a, .dot.a { stroke: var(--a); } .dot.a { fill: var(--a); } .line.b, .dot.b { stroke: var(--b); } .line.b { stroke-dasharray: 5 3; } .dot.b { fill: var(--b); }
.line.c, .dot.c { stroke: var(--c); } .line.c { stroke-dasharray: 1.5 2.5; } .dot.c { fill: var(--c); } .line.d, .dot.d { stroke: var(--d); } .line.d { stroke-dasharray: 8 3 2 3; } .dot.d { fill: var(--d); }
.dot.hollow { fill: var(--ground); }
.marker { stroke: var(--muted); stroke-width: 1; stroke-dasharray: 2 2; fill: none; }
details.data { font-size: .85rem; margin-top: .25rem; } details.data summary { cursor: pointer; color: var(--muted); padding: .2rem 0; } details.data table { font-size: .85rem; margin-top: .25rem; }
details.data td, details.data th { min-width: 0; padding: .2rem .6rem .2rem 0; }
ol.stages { list-style: none; padding: 0; margin: 0 0 1rem; display: grid; grid-template-columns: repeat(auto-fit, minmax(8rem, 1fr)); gap: .5rem; }
ol.stages > li { border-top: .3rem solid var(--ok); padding-top: .35rem; } ol.stages > li.never { border-top-color: var(--line); color: var(--muted); }
ol.stages .name { display: block; font-weight: 600; } ol.stages .when { color: var(--muted); font-size: .88rem; }
.screens { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 10.5rem), 1fr)); gap: .9rem; list-style: none; padding: 0; }
.screens figure { margin: 0; } .screens img { width: 100%; height: auto; display: block; border: 1px solid var(--line); border-radius: .25rem; background: #000; }
.screens figcaption { font-size: .85rem; color: var(--muted); padding-top: .25rem; } .screens li.last, .screens li:target { grid-column: 1 / -1; }
.screens li.last img, .screens li:target img { max-width: 45rem; }
.strip ol { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .5rem; margin-bottom: 1.25rem; } .strip li { border: 1px solid var(--line); border-radius: .4rem; padding: .35rem .6rem; font-size: .88rem; }
.strip li.current { border-color: var(--ink); box-shadow: inset 0 0 0 1px var(--ink); } .strip .when { display: block; color: var(--muted); font-size: .82rem; font-variant-numeric: tabular-nums; }
@media (max-width: 40rem) { .screens { grid-template-columns: repeat(2, minmax(0, 1fr)); } }
`;
