import type { Message } from '../entities/message.js';
import type { Row } from '../repositories/compiled-table.js';
import type { Stats } from '../services/stats.service.js';
import { bytes, table, type Terminal } from './terminal.js';

/** The rows of each entity and the size of the database, for people. */
export function showStats(terminal: Terminal, stats: Stats, title = 'It holds'): void {
  terminal.line(`Database: ${stats.database}, ${bytes(stats.databaseBytes)}`);
  terminal.line(`${title}:`);
  const rows = Object.entries(stats.rows).map(([name, total]) => [`  ${name.replaceAll('_', ' ')}`, total]);
  for (const line of table(rows)) terminal.line(line);
}

/** Messages as a person reads them: number, role, and the content set in under it. */
export function showMessages(terminal: Terminal, messages: readonly Row<Message>[]): void {
  const width = String(messages.at(-1)?.seq ?? 0).length;
  for (const { seq, role, content, parts } of messages) {
    const label = `  ${String(seq).padStart(width)}  ${role.padEnd(9)}  `;
    const text = content === '' && parts ? `[${String(parts.length)} parts]` : printable(content);
    terminal.line(label + text.replaceAll('\n', `\n${' '.repeat(label.length)}`));
  }
}

/** Control characters other than tab and line feed could drive the terminal; they are shown as symbols. */
export function printable(text: string): string {
  // eslint-disable-next-line no-control-regex -- these are the characters that are replaced
  return text.replaceAll('\r\n', '\n').replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '\u{FFFD}');
}
