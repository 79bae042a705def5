import { describe, expect, it } from 'vitest';
import { configOf } from '../../lib/config.ts';
import { appOf } from './support/synthesis.ts';

describe('configOf', () => {
  it.each(['local', 'dev', 'prod'])('knows the stage %s', (stage) => {
    expect(configOf(stage).stage).toBe(stage);
  });

  it('refuses a stage that is not there', () => {
    expect(() => configOf('prdo')).toThrow('unknown stage "prdo": choose local, dev, prod');
  });

  it('takes the account and region of the command line where the stage has none', () => {
    const defaults = { account: '111122223333', region: 'ap-northeast-2' };
    expect(configOf('dev', defaults)).toMatchObject(defaults);
  });

  it('has customers’ accounts protected where there are customers', () => {
    expect(configOf('prod').signIn.threatProtection).toBe(true);
  });

  it('names what is not valid', () => {
    expect(() => configOf('dev', { account: '12', region: 'Seoul' })).toThrow(/account: .*; region: /);
  });

  it('makes the embedded cloud’s stage differ from dev by its names and its quotas alone', () => {
    const { stage, emailSender, signIn, quotaFactor, ...local } = configOf('local');
    const { domainPrefix, ...pages } = signIn;
    expect(domainPrefix).toBe('floodgate-local');
    expect(configOf('dev')).toMatchObject({ ...local, signIn: pages });
    expect({ stage, emailSender, quotaFactor }).not.toEqual({});
  });

  it('refuses to reserve concurrency for a function that is not there', () => {
    const config = { ...configOf('prod'), reservedConcurrency: { 'order-plcae-order': 100 } };
    expect(() => appOf(config)).toThrow('order-plcae-order');
  });
});
