import { browse } from './browse.ts';
export const drop = browse;
