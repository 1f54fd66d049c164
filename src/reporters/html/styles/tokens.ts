/** Colours by what they mean, for light and dark; every pair of text and ground has a contrast of 4.5 to 1 at least (WCAG 2.2, 1.4.3). */
export const TOKENS = `
:root { color-scheme: light dark;
  --ground: #ffffff; --soft: #f4f6f8; --line: #d5dbe1; --ink: #181c20; --muted: #56606b; --link: #0b57a4;
  --ok: #116538; --ok-ground: #e8f5ed; --bad: #a61d15; --bad-ground: #fdeceb; --open: #7a5000; --open-ground: #fdf3dc;
  --void: #6a2a9c; --void-ground: #f4ebfb; --none: #56606b; --none-ground: #eef1f4;
  --a: #0b57a4; --b: #b4530a; --c: #116538; --d: #6a2a9c; --grid: #dfe4e9; }
@media screen and (prefers-color-scheme: dark) { :root {
  --ground: #14171a; --soft: #1c2125; --line: #363e46; --ink: #e5e9ec; --muted: #a4aeb8; --link: #8cc0ff;
  --ok: #74d79c; --ok-ground: #14301f; --bad: #ff9d93; --bad-ground: #3b1b18; --open: #f0c263; --open-ground: #352a10;
  --void: #d0a5f7; --void-ground: #2e1d3d; --none: #a4aeb8; --none-ground: #252b31;
  --a: #8cc0ff; --b: #ffb077; --c: #74d79c; --d: #d0a5f7; --grid: #2b3238; } }
@media print { :root { color-scheme: light; } }
`;
