import { browse } from './browse.ts';
export const mix = browse;
