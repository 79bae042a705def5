// The same one-line order as plain as it can be: one PostgreSQL transaction that takes the unit, writes order, line and
// payment, and keeps an idempotency key.
import { randomUUID } from 'node:crypto';
import express from 'express';
import pg from 'pg';

const { PORT, DATABASE_URL } = process.env;
const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 20 });
await pool.query(`
  CREATE TABLE IF NOT EXISTS products (sku text PRIMARY KEY, price integer NOT NULL, available integer NOT NULL);
  CREATE TABLE IF NOT EXISTS orders (
    id uuid PRIMARY KEY, idempotency_key text UNIQUE NOT NULL, customer text NOT NULL, address jsonb NOT NULL,
    total integer NOT NULL, status text NOT NULL, placed_at timestamptz NOT NULL DEFAULT now());
  CREATE TABLE IF NOT EXISTS order_lines (
    order_id uuid REFERENCES orders, sku text NOT NULL REFERENCES products, quantity integer NOT NULL, price integer NOT NULL);
  CREATE TABLE IF NOT EXISTS payments (order_id uuid PRIMARY KEY REFERENCES orders, amount integer NOT NULL)`);

const app = express();
app.use(express.json());
app.put('/products/:sku', async ({ params, body }, response) => {
  await pool.query('INSERT INTO products VALUES ($1, $2, $3)', [params.sku, body.price, body.available]);
  response.status(201).json({});
});
app.get('/products/:sku', async ({ params }, response) => {
  const { rows } = await pool.query('SELECT * FROM products WHERE sku = $1', [params.sku]);
  response.json(rows[0]);
});
app.post('/orders', async ({ body, headers }, response) => {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    const { rows } = await client.query(
      'UPDATE products SET available = available - $2 WHERE sku = $1 AND available >= $2 RETURNING price',
      [body.sku, body.quantity],
    );
    if (rows.length === 0) {
      await client.query('ROLLBACK');
      response.status(409).json({ error: 'out of stock' });
      return;
    }
    const id = randomUUID();
    const total = rows[0].price * body.quantity;
    await client.query(
      "INSERT INTO orders (id, idempotency_key, customer, address, total, status) VALUES ($1, $2, $3, $4, $5, 'paid')",
      [id, headers['idempotency-key'], body.customer, body.address, total],
    );
    await client.query('INSERT INTO order_lines VALUES ($1, $2, $3, $4)', [
      id,
      body.sku,
      body.quantity,
      rows[0].price,
    ]);
    await client.query('INSERT INTO payments VALUES ($1, $2)', [id, total]);
    await client.query('COMMIT');
    response.status(201).json({ id, total });
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  } finally {
    client.release();
  }
});
app.listen(Number(PORT), '127.0.0.1');
