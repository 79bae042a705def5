import { routes } from './proofs/routes.ts';

console.table(await routes(1200, Number(process.argv[2]), console.log));
