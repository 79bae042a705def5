import { type Figures, isCorrect, type Load } from './measure.ts';

/** Where and when it was measured. */
export interface Circumstances {
  /** Of each load. */
  readonly seconds: number;
  readonly processors: string;
  readonly node: string;
  readonly date: string;
}

type Cell = string | number;

export function peersReport(
  figures: readonly Figures[],
  missing: readonly string[],
  shares: readonly { readonly part: string; readonly share: number }[],
  { seconds, processors, node, date }: Circumstances,
): string {
  const own = figures.find(({ peer }) => peer.name === 'Floodgate');
  return [
    `${date}; ${processors}; Node ${node}; ${seconds} s for each figure, clients on the same machine.`,
    ...missing.map((one) => `**Not measured: ${one}**`),
    table(
      [
        '',
        'clients',
        'checkouts/s answered',
        'until all was done',
        'Floodgate, times as many',
        'CPU ms a checkout',
        'p50 ms',
        'p99 ms',
        'sold',
        'taken from stock',
      ],
      figures.flatMap(({ peer, loads }) =>
        loads.map((one, index) => loadRow(peer.name, one, own?.loads[index])),
      ),
    ),
    'More customers than units, all at once:',
    table(
      ['', 'customers', 'units', 'sold', 'left', 'failed otherwise', ''],
      figures.map((one) => {
        const { customers, units, sold, left, failed } = one.rush;
        return [
          one.peer.name,
          customers,
          units,
          sold,
          left,
          failed,
          isCorrect(one) ? 'agrees' : 'DOES NOT AGREE',
        ];
      }),
    ),
    'Where the threads of Floodgate’s embedded cloud and its functions spend their time (the table engine is a process of its own and not in it):',
    table(
      ['', 'share'],
      shares.map(({ part, share }) => [part, `${(100 * share).toFixed(1)}%`]),
    ),
    figures.map(({ peer }) => `${peer.name}: ${peer.version}.`).join(' '),
  ].join('\n\n');
}

function loadRow(name: string, one: Load, own: Load | undefined): Cell[] {
  return [
    name,
    one.clients,
    one.answered.toFixed(1),
    one.finished.toFixed(1),
    own ? `${ratio(own.answered, one.answered)} (${ratio(own.finished, one.finished)})` : '',
    one.cpuMs.toFixed(1),
    one.p50Ms.toFixed(0),
    one.p99Ms.toFixed(0),
    one.sold,
    one.taken,
  ];
}

function table(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const line = (cells: readonly Cell[]) => `| ${cells.join(' | ')} |`;
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}

function ratio(ours: number, theirs: number): string {
  const times = ours / theirs;
  return times < 1 ? times.toFixed(2) : times.toFixed(1);
}
