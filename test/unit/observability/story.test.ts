import { describe, expect, it } from 'vitest';
import { render, type Story, treeOf } from '../../../scripts/trace/story.ts';

const start = Date.UTC(2026, 10, 22, 10);
const after = (seconds: number) => start + seconds * 1000;

const story: Story = {
  orderId: 'ord_A',
  traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  events: [
    { id: 'evt_A-1', seq: 1, type: 'order.placed', at: after(0) },
    { id: 'evt_A-2', seq: 2, type: 'capture.requested', at: after(0.5) },
    { id: 'evt_A-3', seq: 3, type: 'payment.captured', at: after(0.9) },
    { id: 'evt_A-4', seq: 4, type: 'refund.requested', at: after(60) },
  ],
  consumers: {
    'order.placed': ['order-run-checkout'],
    'payment.captured': ['notification-send-mail', 'finance-journal'],
    'refund.requested': ['order-run-checkout'],
  },
  requests: [{ at: after(0.02), route: 'placeOrder', status: 201 }],
  receipts: [
    { at: after(0.2), consumer: 'order-run-checkout', eventId: 'evt_A-1' },
    { at: after(1), consumer: 'finance-journal', eventId: 'evt_A-3' },
  ],
  runs: [
    {
      name: 'ord_A-1',
      status: 'SUCCEEDED',
      from: after(0.25),
      to: after(0.95),
      states: [
        { name: 'NextStep', from: after(0.25), to: after(0.25) },
        { name: 'Authorise', from: after(0.26), to: after(0.45) },
        { name: 'Record', from: after(0.45), to: after(0.55) },
        { name: 'Capture', from: after(0.6), to: after(0.8) },
        { name: 'Record', from: after(0.8), to: after(0.94) },
      ],
    },
    {
      name: 'ord_A-1',
      status: 'RUNNING',
      from: after(61),
      to: undefined,
      states: [{ name: 'Refund', from: after(61), to: undefined }],
    },
  ],
  calls: [
    { at: after(0.44), ms: 150, method: 'POST', path: '/authorizations', status: 201 },
    { at: after(0.78), ms: 150, method: 'POST', path: '/authorizations/ch_1/captures', status: 'no answer' },
  ],
  entries: [{ eventId: 'evt_A-3', businessDate: '2026-11-22', postings: 4 }],
  mails: [{ at: after(1.2), event: 'payment.captured', subject: 'Thank you' }],
};

describe('the tree of an order', () => {
  it('shows what followed from what, and when', () => {
    expect(render(treeOf(story), start).split('\n')).toEqual([
      'order ord_A, trace 4bf92f3577b34da6a3ce929d0e0e4736, begun 2026-11-22T10:00:00.000Z',
      '    +0.020  ├─ request placeOrder → 201',
      '    +0.000  │  └─ event 1 order.placed',
      '    +0.200  │     └─ rule → order-run-checkout',
      '    +0.250  │        └─ workflow checkout ord_A-1: SUCCEEDED, 700 ms',
      '    +0.260  │           ├─ Authorise, 190 ms',
      '    +0.290  │           │  └─ provider POST /authorizations → 201, 150 ms',
      '    +0.450  │           ├─ Record, 100 ms',
      '    +0.500  │           │  └─ event 2 capture.requested',
      '    +0.600  │           ├─ Capture, 200 ms',
      '    +0.630  │           │  └─ provider POST /authorizations/ch_1/captures → no answer, 150 ms',
      '    +0.800  │           └─ Record, 140 ms',
      '    +0.900  │              └─ event 3 payment.captured',
      '            │                 ├─ rule → notification-send-mail (no line of its receipt)',
      '    +1.200  │                 │  └─ e-mail “Thank you”',
      '    +1.000  │                 └─ rule → finance-journal',
      '            │                    └─ journal entry of 2026-11-22, 4 postings',
      '   +60.000  └─ event 4 refund.requested',
      '               └─ rule → order-run-checkout (no line of its receipt)',
      '   +61.000        └─ workflow checkout ord_A-1: RUNNING, not ended',
      '   +61.000           └─ Refund, not ended',
    ]);
  });

  it('tells every event once, whatever is missing', () => {
    const bare = { ...story, requests: [], receipts: [], runs: [], calls: [], entries: [], mails: [] };
    const text = render(treeOf(bare), start);
    for (const { seq, type } of story.events) expect(text.split(`event ${seq} ${type}`)).toHaveLength(2);
  });
});
