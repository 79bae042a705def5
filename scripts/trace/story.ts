import { isoInstant } from '../../functions/kernel/clock.ts';

/** What is known of an order's trace. Times are milliseconds since the epoch, by the clocks of those who acted. */
export interface Story {
  readonly orderId: string;
  /** 32 hex digits. */
  readonly traceId: string;
  readonly events: readonly {
    readonly id: string;
    readonly seq: number;
    readonly type: string;
    readonly at: number;
  }[];
  /** The functions that the bus's rules hand each event to, by its type. */
  readonly consumers: Readonly<Record<string, readonly string[]>>;
  /** Requests that changed something, as the functions' lines tell them. */
  readonly requests: readonly { readonly at: number; readonly route: string; readonly status: number }[];
  /** First receipts of events. */
  readonly receipts: readonly { readonly at: number; readonly consumer: string; readonly eventId: string }[];
  readonly runs: readonly Run[];
  /** Calls of the payment provider; `at` is when each ended. */
  readonly calls: readonly {
    readonly at: number;
    readonly ms: number;
    readonly method: string;
    readonly path: string;
    readonly status: number | string;
  }[];
  readonly entries: readonly {
    readonly eventId: string;
    readonly businessDate: string;
    readonly postings: number;
  }[];
  readonly mails: readonly { readonly at: number; readonly event: string; readonly subject: string }[];
}

/** A run of the checkout workflow. */
export interface Run {
  readonly name: string;
  readonly status: string;
  readonly from: number;
  /** Undefined while it runs. */
  readonly to: number | undefined;
  readonly states: readonly {
    readonly name: string;
    readonly from: number;
    readonly to: number | undefined;
  }[];
}

/** A line of the tree, and what followed from it. */
export interface Node {
  readonly text: string;
  readonly at?: number | undefined;
  readonly children: readonly Node[];
}

/**
 * The tree of what followed from what: the request, its event, the rules that took it on, the workflow's states with
 * the provider's calls and the events that they recorded, and so on. What is missing is said, not left out.
 */
export function treeOf(story: Story): Node {
  const told = new Set<string>();

  const eventNode = (event: Story['events'][number]): Node => {
    told.add(event.id);
    const consumers = story.consumers[event.type] ?? [];
    return {
      text: `event ${event.seq} ${event.type}`,
      at: event.at,
      children: consumers.map((consumer) => consumerNode(consumer, event)),
    };
  };

  const consumerNode = (consumer: string, event: Story['events'][number]): Node => {
    const receipt = story.receipts.find((one) => one.consumer === consumer && one.eventId === event.id);
    const entries = consumer.startsWith('finance-')
      ? story.entries.filter((one) => one.eventId === event.id)
      : [];
    const mails = consumer.startsWith('notification-')
      ? story.mails.filter((one) => one.event === event.type)
      : [];
    return {
      text: `rule → ${consumer}${receipt ? '' : ' (no line of its receipt)'}`,
      at: receipt?.at,
      children: [
        ...(consumer === 'order-run-checkout' ? runsOf(event).map(runNode) : []),
        ...entries.map(({ businessDate, postings }) => ({
          text: `journal entry of ${businessDate}, ${postings} postings`,
          children: [],
        })),
        ...mails.map(({ subject, at }) => ({ text: `e-mail “${subject}”`, at, children: [] })),
      ],
    };
  };

  /** A run was started by the last event before it that starts runs. */
  const runsOf = (event: Story['events'][number]): Run[] => {
    const starters = story.events.filter(({ type }) => story.consumers[type]?.includes('order-run-checkout'));
    return story.runs.filter((run) => starters.findLast(({ at }) => at <= run.from)?.id === event.id);
  };

  const runNode = (run: Run): Node => ({
    text: `workflow checkout ${run.name}: ${run.status}${lasted(run.from, run.to)}`,
    at: run.from,
    children: run.states
      .filter(({ name }) => name !== 'NextStep' && name !== 'Done')
      .map((state) => {
        const until = state.to ?? Number.POSITIVE_INFINITY;
        const calls = story.calls.filter(({ at, ms }) => at - ms >= state.from - 1 && at <= until + 1);
        const recorded = story.events.filter(
          ({ id, at }) => state.name.startsWith('Record') && !told.has(id) && at >= state.from && at <= until,
        );
        return {
          text: `${state.name}${lasted(state.from, state.to)}`,
          at: state.from,
          children: [
            ...calls.map(({ at, ms, method, path, status }) => ({
              text: `provider ${method} ${path} → ${status}${lasted(at - ms, at)}`,
              at: at - ms,
              children: [],
            })),
            ...recorded.map(eventNode),
          ],
        };
      }),
  });

  const [placed] = story.events;
  const placement = story.requests.find(({ route }) => route === 'placeOrder');
  const first: Node = {
    text: placement
      ? `request ${placement.route} → ${placement.status}`
      : 'request (no line: its trace is not recorded, or the log is older)',
    at: placement?.at,
    children: placed ? [eventNode(placed)] : [],
  };
  const rest = story.events.filter(({ id }) => !told.has(id));
  return {
    text: `order ${story.orderId}, trace ${story.traceId}`,
    children: [first, ...rest.filter(({ id }) => !told.has(id)).map(eventNode)],
  };
}

function lasted(from: number, to: number | undefined): string {
  return to === undefined ? ', not ended' : `, ${Math.max(0, Math.round(to - from))} ms`;
}

/** The tree as text: seconds since `start` before each line that has a time. */
export function render(tree: Node, start: number): string {
  const lines = [`${tree.text}, begun ${isoInstant(start)}`];
  const add = ({ text, at, children }: Node, indent: string, last: boolean): void => {
    const time = at === undefined ? '' : `${at >= start ? '+' : ''}${((at - start) / 1000).toFixed(3)}`;
    lines.push(`${time.padStart(10)}  ${indent}${last ? '└─ ' : '├─ '}${text}`);
    children.forEach((child, index) => {
      add(child, `${indent}${last ? '   ' : '│  '}`, index === children.length - 1);
    });
  };
  tree.children.forEach((child, index) => {
    add(child, '', index === tree.children.length - 1);
  });
  return lines.join('\n');
}
