/** Tables; on a phone each row becomes a block with its headings beside the values. */
export const TABLES = `
table { border-collapse: collapse; width: 100%; font-size: .93rem; }
th, td { text-align: left; vertical-align: top; padding: .45rem .9rem .45rem 0; border-top: 1px solid var(--line); }
thead th { border-top: 0; color: var(--muted); font-weight: 600; font-size: .85rem; }
th, td { min-width: 5rem; } tbody th { font-weight: 600; min-width: 8rem; } th.number, td.number { min-width: 3.5rem; } .instant { white-space: nowrap; } td ul { margin: 0; } td ul.plain > li { border: 0; padding: 0 0 .1rem; } th:last-child, td:last-child { padding-right: 0; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
thead .number { white-space: normal; }
.bar { width: 100%; min-width: 4rem; height: .55rem; display: block; margin-top: .45rem; } .bar .rest { fill: var(--none-ground); } .bar .part { fill: var(--a); } .bar.missed .part { fill: var(--bad); }
.stack { width: 100%; height: .8rem; display: block; border-radius: .2rem; margin: .25rem 0 .5rem; }
.stack .ok { fill: var(--ok); } .stack .bad { fill: var(--bad); } .stack .open { fill: var(--open); } .stack .void { fill: var(--void); } .stack .none { fill: var(--line); }
@media (max-width: 40rem) {
  table.stacked, .stacked tbody, .stacked tr, .stacked th, .stacked td { display: block; }
  .stacked thead { display: none; }
  .stacked tr { border-top: 1px solid var(--line); padding: .6rem 0; } .stacked tbody tr:first-child { border-top: 0; }
  .stacked th, .stacked td { border: 0; min-width: 0; padding: .1rem 0; text-align: left; white-space: normal; }
  .stacked td[data-label]::before { content: attr(data-label) ": "; color: var(--muted); }
  .stacked td:empty { display: none; } .stacked td.picture { display: none; } }
`;
