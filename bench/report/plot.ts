import type { Result, Results } from '../hot-paths.js';
import { type Group, groupsOf } from './groups.js';

/** Lengths are pixels. */
const WIDTH = 860;
const LEFT = 285;
const AXIS = 510;
/** Where the axis ends, as a ratio: the bars of those few that go beyond have a tip, so that the many below can be told apart. */
const AXIS_END = 1.5;
const TICKS = [0, 0.25, 0.5, 0.75, 1, 1.25, 1.5];
const BAR = 13;
const ROW_GAP = 9;
const HEADER = 84;
/** Of a group: its title and the numbers of its axis. */
const GROUP_HEAD = 52;
const GROUP_GAP = 14;

const COLLOQUY = '#1f4e9c';
/** Told apart by who sees few colours, too (M. Okabe and K. Ito, "Color Universal Design"). */
const PEER_COLOURS = ['#e69f00', '#56b4e9', '#009e73', '#d55e00', '#cc79a7', '#999999'];
const INK = '#24292f';
const FAINT = '#d8dee4';
const PAPER = '#ffffff';
/** Of a bar: its edge keeps it readable where it lies on a line. */
const NUMBER = `font-size="10.5" stroke="${PAPER}" stroke-width="2" paint-order="stroke"`;

/** The sides that have bars, and the colour of those. */
type Colours = ReadonlyMap<string, string>;

/** An SVG image with a bar for the ratio to the raw side of Colloquy and of each other library, by path and engine. */
export function plotOf(results: Results): string {
  const groups = groupsOf(results);
  const peers = [...new Set(groups.flatMap((group) => group.peers))].toSorted();
  const colours = new Map([['colloquy', COLLOQUY], ...peers.map((peer, index) => [peer, colourOf(index)] as const)]);
  const parts: string[] = [];
  let top = HEADER;
  for (const group of groups) {
    parts.push(drawGroup(group, colours, top));
    top += heightOf(group, colours);
  }
  const size = `width="${String(WIDTH)}" height="${String(top)}" viewBox="0 0 ${String(WIDTH)} ${String(top)}"`;
  const font = `font-family="system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif" font-size="12" fill="${INK}"`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} ${font} role="img">`,
    '<title>Speed of the hot paths as a ratio to the driver alone</title>',
    `<rect width="100%" height="100%" fill="${PAPER}"/>`,
    ...drawHeader(colours),
    ...parts,
    '</svg>\n',
  ].join('\n');
}

const colourOf = (peer: number): string => PEER_COLOURS[peer % PEER_COLOURS.length] ?? INK;

/** The title and the legend. */
function drawHeader(colours: Colours): string[] {
  const entries = [...colours].map(([side, colour], index) => {
    const left = 20 + index * 110;
    return rectangle(left, 54, 12, 12, colour) + text(left + 18, 64, side === 'colloquy' ? 'Colloquy' : side);
  });
  return [
    text(20, 26, 'Speed as a ratio to the driver alone', 'font-size="17" font-weight="600"'),
    text(20, 44, `1.0 is as fast as the driver; longer is faster; a bar with a tip goes on beyond ${String(AXIS_END)}`),
    ...entries,
  ];
}

function drawGroup(group: Group, colours: Colours, top: number): string {
  const begin = top + GROUP_HEAD;
  const end = top + heightOf(group, colours) - GROUP_GAP;
  const rows: string[] = [];
  let next = begin + ROW_GAP / 2;
  for (const [name, result] of group.rows) {
    rows.push(...drawRow(name, result, colours, next));
    next += rowHeight(result, colours);
  }
  const title = text(20, top + 22, group.title, 'font-size="15" font-weight="600"');
  return [title, ...TICKS.map((tick) => drawTick(tick, begin, end)), ...rows].join('\n');
}

/** A line from top to bottom, and its number above; the driver's own is the one that stands out. */
function drawTick(tick: number, begin: number, end: number): string {
  const isDriver = tick === 1;
  const x = fixed(xOf(tick));
  const line = `<line x1="${x}" x2="${x}" y1="${fixed(begin)}" y2="${fixed(end)}" stroke="${isDriver ? INK : FAINT}"/>`;
  const weight = isDriver ? ' font-weight="600"' : '';
  const label = isDriver ? '1.0' : String(tick);
  return line + text(xOf(tick), begin - 6, label, `text-anchor="middle" font-size="11"${weight}`);
}

/** The name, and a bar with its number for each side that was measured. */
function drawRow(name: string, { ratios }: Result, colours: Colours, top: number): string[] {
  const bars = [...colours].filter(([side]) => side in ratios);
  const middle = top + (bars.length * BAR) / 2 + 4;
  return [
    text(LEFT - 10, middle, name, 'text-anchor="end"'),
    ...bars.map(([side, colour], index) => drawBar(ratios[side] ?? 0, colour, top + index * BAR)),
  ];
}

function drawBar(ratio: number, colour: string, top: number): string {
  const isCut = ratio > AXIS_END;
  const end = xOf(Math.min(ratio, AXIS_END));
  const tip = isCut ? drawTip(end, top, colour) : '';
  const number = text(end + (isCut ? 13 : 5), top + 10, ratio.toFixed(2), NUMBER);
  return rectangle(LEFT, top, end - LEFT, BAR - 1, colour) + tip + number;
}

function drawTip(left: number, top: number, colour: string): string {
  const [bottom, middle] = [top + BAR - 1, top + (BAR - 1) / 2];
  return `<path d="M${fixed(left)} ${fixed(top)}L${fixed(left + 8)} ${fixed(middle)}L${fixed(left)} ${fixed(bottom)}Z" fill="${colour}"/>`;
}

const rowHeight = ({ ratios }: Result, colours: Colours): number =>
  [...colours.keys()].filter((side) => side in ratios).length * BAR + ROW_GAP;

const heightOf = ({ rows }: Group, colours: Colours): number =>
  GROUP_HEAD + GROUP_GAP + rows.reduce((sum, [, result]) => sum + rowHeight(result, colours), 0);

const xOf = (ratio: number): number => LEFT + (ratio / AXIS_END) * AXIS;
const fixed = (length: number): string => String(Number(length.toFixed(1)));

function rectangle(x: number, y: number, width: number, height: number, colour: string): string {
  const size = `width="${fixed(width)}" height="${fixed(height)}"`;
  return `<rect x="${fixed(x)}" y="${fixed(y)}" ${size} fill="${colour}"/>`;
}

const text = (x: number, y: number, content: string, style = ''): string =>
  `<text x="${fixed(x)}" y="${fixed(y)}"${style && ` ${style}`}>${content}</text>`;
