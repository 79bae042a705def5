import { describe, expect, it } from 'vitest';
import { nameGroups } from '../../../functions/account/app/name-groups.ts';

const event = (groups: readonly string[] | null) => ({
  version: '2',
  triggerSource: 'TokenGeneration_Authentication',
  userName: 'user-1',
  request: {
    userAttributes: { email: 'ann@example.com' },
    groupConfiguration: { groupsToOverride: groups, iamRolesToOverride: [], preferredRole: null },
  },
  response: { claimsAndScopeOverrideDetails: null },
});

async function named(groups: readonly string[] | null, hasFactor: boolean) {
  const asked: string[] = [];
  const answer: any = await nameGroups({
    hasSecondFactor: async (userName) => {
      asked.push(userName);
      return hasFactor;
    },
  })(event(groups));
  const { groupsToOverride } = answer.response.claimsAndScopeOverrideDetails.groupOverrideDetails;
  return { answer, asked, groups: groupsToOverride };
}

describe('the groups that tokens name', () => {
  it('are all of them for whoever has a second factor', async () => {
    const { groups, answer } = await named(['operators', 'finance'], true);
    expect(groups).toEqual(['operators', 'finance']);
    expect(answer).toMatchObject({ userName: 'user-1', triggerSource: 'TokenGeneration_Authentication' });
  });

  it('are none for whoever has not', async () => {
    expect((await named(['operators', 'finance'], false)).groups).toEqual([]);
  });

  it.each([[[]], [null]])('cost no look at a shopper’s account, who is in %j', async (groups) => {
    expect(await named(groups, true)).toMatchObject({ groups: [], asked: [] });
  });

  it('are not decided without an answer about the account', async () => {
    const failing = nameGroups({
      hasSecondFactor: async () => {
        throw new Error('not now');
      },
    });
    await expect(failing(event(['operators']))).rejects.toThrow('not now');
  });

  it('are not decided for an event of another shape', async () => {
    await expect(nameGroups({ hasSecondFactor: async () => true })({ userName: 'u' })).rejects.toThrow();
  });
});
