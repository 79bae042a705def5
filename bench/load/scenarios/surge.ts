import { browse } from './browse.ts';
export const surge = browse;
