import { createECDH, createHash, createPrivateKey, createPublicKey } from 'node:crypto';
import { conductorPorts } from '../../functions/admission/adapters/conducting.ts';
import { dropTable } from '../../functions/admission/adapters/drop-table.ts';
import { operatorPorts } from '../../functions/admission/adapters/operator-ports.ts';
import { waitingRoom } from '../../functions/admission/adapters/waiting-room.ts';
import { announceDrop } from '../../functions/admission/app/announce-drop.ts';
import { changeDrop } from '../../functions/admission/app/change-drop.ts';
import { conductDrops } from '../../functions/admission/app/conduct-drops.ts';
import { takeTicket } from '../../functions/admission/app/tickets.ts';
import { isoInstant } from '../../functions/kernel/clock.ts';
import type { Plan } from './plan.ts';
import type { World } from './world.ts';

/** The key pair that KMS would make: always the same, so that a seed leaves the same tables. */
const keys = (() => {
  const curve = createECDH('prime256v1');
  curve.setPrivateKey(createHash('sha256').update('the simulation').digest());
  const point = curve.getPublicKey();
  const text = (bytes: Buffer) => bytes.toString('base64url');
  const [x, y, d] = [point.subarray(1, 33), point.subarray(33), curve.getPrivateKey()].map(text);
  const key = { kty: 'EC', crv: 'P-256', x: x!, y: y!, d: d! };
  const privateKey = createPrivateKey({ key, format: 'jwk' });
  const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'der' }).toString('base64');
  return { privateKey, publicKey };
})();

/** The waiting room of the plan's drop, through the product's use cases and adapters. */
export class Drops {
  readonly #world: World;
  readonly #plan: Plan;
  #id = '';

  constructor(world: World, plan: Plan) {
    this.#world = world;
    this.#plan = plan;
  }

  /** An operator announces the drop before the day begins. */
  async announce() {
    const { start, drop: terms } = this.#plan;
    const { sku, opensAfter, closesAfter, limit, rate, fallbackPerSecond } = terms!;
    const { find, save } = dropTable(this.#world.documents(), 'admission', this.#world.clock);
    const announce = announceDrop({
      now: this.#world.clock,
      find,
      save,
      unstocked: async () => [],
      newKeys: async () => ({ publicKey: keys.publicKey, wrappedKey: 'kept by the simulation' }),
      newOrderKey: () => Buffer.from('the order within a second').toString('base64'),
    });
    const { drop } = await announce('operator-1', 'drop-1', {
      name: 'Celadon',
      skus: [sku],
      opensAt: isoInstant(start + opensAfter),
      closesAt: isoInstant(start + closesAfter),
      perCustomerLimit: limit,
      admission: { rate },
      fallbackPerSecond,
      holdSeconds: 30,
      arrivalShards: 2,
    });
    this.#id = drop.id;
    return drop;
  }

  /** A shopper takes a ticket, or looks at the one that they have. */
  take(actor: string, customerId: string) {
    const room = waitingRoom(this.#world.documents(actor), 'admission', this.#world.clockOf(actor));
    const random = () => this.#world.random(actor);
    return takeTicket({ ...room, key: async () => keys.privateKey, random })(this.#id, customerId);
  }

  /** An operator ends the drop before its time. */
  close(actor: string): Promise<void> {
    const ports = operatorPorts(this.#world.documents(actor), {
      ADMISSION_TABLE: 'admission',
      INVENTORY_TABLE: 'inventory',
    });
    const change = changeDrop({ ...ports, now: this.#world.clockOf(actor) });
    return change(this.#id, { state: 'closed' }, '*');
  }

  /** A minute of the conductor. */
  conduct(actor: string): Promise<void> {
    const env = { ADMISSION_TABLE: 'admission', INVENTORY_TABLE: 'inventory', CHECKOUT_QUEUE_URL: '' };
    const ports = conductorPorts(this.#world.documents(actor), env);
    return conductDrops({ ...ports, now: this.#world.clockOf(actor), sleep: this.#world.sleep })();
  }
}
