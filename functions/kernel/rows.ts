import { isMap, isScalar, isSeq, LineCounter, parseDocument, type Scalar } from 'yaml';
import { readCsv } from './csv.ts';
import { DomainError } from './errors.ts';

/** A row of an imported file: what it says, as text, by column. */
export interface Row {
  /** Where it begins; counts from 1. */
  readonly line: number;
  /** Columns without a value are left out. */
  readonly columns: Readonly<Record<string, string>>;
  /** Why the row cannot be taken. */
  readonly problem?: string;
}

const mostBytes = 1_500_000;
const mostRows = 5_000;

/**
 * The rows of an imported file: `text/csv` with a header row, or `application/yaml`, a list of mappings. A number of a
 * YAML file comes as it is written there (`129.90`), not by way of floating point.
 * @throws DomainError `unsupported-media-type`, `payload-too-large` (over 1.5 MB), `validation-failed` (over 5,000
 * rows, or not such a file at all; with the line)
 */
export function readRows(text: string, contentType: string | undefined): Row[] {
  const mediaType = contentType?.split(';')[0]?.trim().toLowerCase() ?? '';
  const read = readers[mediaType];
  if (!read) {
    throw new DomainError('unsupported-media-type', 'Send the file as application/yaml or text/csv.');
  }
  if (Buffer.byteLength(text) > mostBytes) {
    throw new DomainError('payload-too-large', 'A file has 1.5 MB at most. Send it in several parts.');
  }
  const rows = read(text);
  if (rows.length > mostRows) throw invalid(`A file has ${mostRows} rows at most; this has ${rows.length}.`);
  return rows;
}

const readers: Readonly<Record<string, (text: string) => Row[]>> = {
  'text/csv': rowsOfCsv,
  'application/yaml': rowsOfYaml,
  'application/x-yaml': rowsOfYaml,
  'text/yaml': rowsOfYaml,
};

function rowsOfCsv(text: string): Row[] {
  const [header, ...records] = readCsv(text);
  if (!header) throw invalid('The file is empty: its first line names the columns.');
  if (header.problem) throw invalid(`Line ${header.line}: ${header.problem}.`, header.line);
  const names = header.fields.map((name) => name.trim());
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined)
    throw invalid(`Line ${header.line} names the column "${twice}" twice.`, header.line);

  return records.map(({ line, fields, problem }) => {
    const columns = Object.fromEntries(
      names.map((name, index) => [name, fields[index] ?? '']).filter(([, value]) => value !== ''),
    );
    if (problem) return { line, columns, problem };
    if (fields.length !== names.length) {
      return { line, columns, problem: `has ${fields.length} fields, and the header has ${names.length}` };
    }
    return { line, columns };
  });
}

function rowsOfYaml(text: string): Row[] {
  const lines = new LineCounter();
  const document = documentOf(text, lines);
  const [error] = document.errors;
  if (error) {
    const { line } = lines.linePos(error.pos[0]);
    // Nesting is bounded by the stack; the engine's words would mean nothing to whoever sent the file.
    const reason = /call stack/i.test(error.message) ? 'nested too deeply' : error.message.split('\n')[0];
    throw invalid(`Line ${line}: ${reason}`, line);
  }
  if (document.contents === null) return [];
  if (!isSeq(document.contents)) throw invalid('The file is not a list of mappings.', 1);
  return document.contents.items.map((item) => {
    const { range } = item as { range?: [number, number, number] | null };
    return { line: lines.linePos(range?.[0] ?? 0).line, ...columnsOf(item) };
  });
}

/**
 * Aliases are not followed anywhere, so that none can blow up; duplicate keys are looked for by row, not by the parser,
 * whose search is quadratic.
 */
function documentOf(text: string, lineCounter: LineCounter) {
  try {
    return parseDocument(text, { lineCounter, prettyErrors: false, uniqueKeys: false, logLevel: 'error' });
  } catch {
    throw invalid('The file cannot be read as YAML: it is nested too deeply.');
  }
}

function columnsOf(item: unknown): Omit<Row, 'line'> {
  if (!isMap(item)) return { columns: {}, problem: 'is not a mapping' };
  const columns: Record<string, string> = {};
  const seen = new Set<string>();
  let problem: string | undefined;
  for (const { key, value } of item.items) {
    if (!isScalar(key)) continue;
    const name = textOf(key) ?? '';
    if (seen.has(name)) problem ??= `names the column "${name.slice(0, 60)}" twice`;
    seen.add(name);
    // Lists and the like belong to columns that no import knows.
    const content = isScalar(value) ? textOf(value) : undefined;
    if (content !== undefined && content !== '') columns[name] = content;
  }
  return problem ? { columns, problem } : { columns };
}

/** A plain scalar as it is written, a quoted or block scalar as what it means; undefined for null. */
function textOf(scalar: Scalar): string | undefined {
  if (scalar.value === null || scalar.value === undefined) return undefined;
  return typeof scalar.value === 'string' ? scalar.value : (scalar.source ?? String(scalar.value));
}

function invalid(detail: string, line?: number): DomainError {
  return new DomainError('validation-failed', detail, line === undefined ? {} : { line });
}
