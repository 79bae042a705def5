import type { Charge } from '../domain/charge.ts';

/** What a shopper sees at the bank: the amount, and two ways to answer. Nothing in it comes from a request. */
export function actionPage({ id, authorized, currency, state }: Charge): string {
  const form = (deed: string, label: string) =>
    `<form method="post" action="/authorizations/${id}/${deed}"><button>${label}</button></form>`;
  const choice =
    state === 'requires_action' ? form('confirm', 'Confirm') + form('fail', 'Refuse') : `<p>${state}</p>`;
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Sandbox bank</title>
<h1>Do you pay ${authorized} ${currency} (minor units)?</h1>${choice}</html>`;
}
