import * as z from 'zod/mini';

interface Ports {
  /** Whether signing in asks this user for a second factor. */
  readonly hasSecondFactor: (userName: string) => Promise<boolean>;
}

/** What we read of Cognito's event before it makes tokens (version 2); the rest goes back as it came. */
const event = z.looseObject({
  userName: z.string(),
  request: z.looseObject({
    groupConfiguration: z.looseObject({ groupsToOverride: z.nullish(z.array(z.string())) }),
  }),
});

/**
 * Decides which of a user's groups their tokens name.
 * 1. Whoever is in no group, as every shopper, is not looked up.
 * 2. With a second factor, all groups; without one, none: the account then may do what any shopper may, and so can
 *    set up its authenticator app.
 *
 * Cognito asks for the factor at every sign-in of a user who has one, and refreshed tokens pass here too. An empty
 * override suppresses the groups in both tokens.
 * https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-token-generation.html
 */
export const nameGroups =
  ({ hasSecondFactor }: Ports) =>
  async (input: unknown): Promise<object> => {
    const { userName, request } = z.parse(event, input);
    const { groupConfiguration } = request;
    const groups = groupConfiguration.groupsToOverride ?? [];
    const named = groups.length > 0 && (await hasSecondFactor(userName)) ? groups : [];
    return {
      ...(input as object),
      response: {
        claimsAndScopeOverrideDetails: {
          groupOverrideDetails: { ...groupConfiguration, groupsToOverride: named },
        },
      },
    };
  };
