/** A record of a CSV text: its fields, or why it cannot be read. */
export interface CsvRecord {
  /** Where it begins; counts from 1. */
  readonly line: number;
  readonly fields: readonly string[];
  readonly problem?: string;
}

/**
 * The records of a CSV text after RFC 4180; line ends may be LF, blank lines are passed over. A record with a broken
 * quotation is reported, and reading goes on at the next line.
 */
export function readCsv(text: string): CsvRecord[] {
  const records: CsvRecord[] = [];
  let position = text.startsWith('\uFEFF') ? 1 : 0;
  let line = 1;
  while (position < text.length) {
    const { fields, problem, end } = readRecord(text, position);
    const blank = !problem && fields.length === 1 && fields[0] === '';
    if (!blank) records.push(problem ? { line, fields, problem } : { line, fields });
    line += newLinesIn(text, position, end);
    position = end;
  }
  return records;
}

/** One record from `start`; `end` is where the next one begins. */
function readRecord(text: string, start: number): { fields: string[]; problem?: string; end: number } {
  const fields: string[] = [];
  const lineEnd = endOfLine(text, start);
  let at = start;
  for (;;) {
    if (text[at] === '"') {
      const close = closingQuote(text, at + 1);
      if (close === -1) return { fields, problem: 'a quotation mark is not closed', end: lineEnd.next };
      fields.push(text.slice(at + 1, close).replaceAll('""', '"'));
      at = close + 1;
    } else {
      const stop = Math.min(indexOrEnd(text, ',', at), endOfLine(text, at).at);
      fields.push(text.slice(at, stop));
      at = stop;
    }
    if (text[at] === ',') {
      at++;
      continue;
    }
    const end = endOfLine(text, at);
    if (end.at === at) return { fields, end: end.next };
    return { fields, problem: 'text follows a closing quotation mark', end: end.next };
  }
}

/** The quotation mark that ends the field; a doubled one stands for itself. -1 when there is none. */
function closingQuote(text: string, from: number): number {
  let at = text.indexOf('"', from);
  while (at !== -1 && text[at + 1] === '"') at = text.indexOf('"', at + 2);
  return at;
}

/** Where the line of `from` ends, before its CRLF or LF, and where the next begins. */
function endOfLine(text: string, from: number): { at: number; next: number } {
  const lineFeed = indexOrEnd(text, '\n', from);
  const at = lineFeed > from && text[lineFeed - 1] === '\r' ? lineFeed - 1 : lineFeed;
  return { at, next: lineFeed + 1 };
}

function indexOrEnd(text: string, sought: string, from: number): number {
  const index = text.indexOf(sought, from);
  return index === -1 ? text.length : index;
}

function newLinesIn(text: string, from: number, to: number): number {
  let count = 0;
  for (let at = text.indexOf('\n', from); at !== -1 && at < to; at = text.indexOf('\n', at + 1)) count++;
  return count;
}
