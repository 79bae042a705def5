import { type Ask, signInBySrp } from './srp.ts';

/** What may be asked of whoever signs in. */
export type Question = 'password' | 'new password' | 'code';

/**
 * Signs in with a password that stays here, and answers what the pool asks for next.
 * @returns the access token
 * @throws Error when the pool refuses, or asks for something else
 */
export async function signIn(
  ask: Ask,
  pool: { readonly clientId: string; readonly userPoolId: string },
  username: string,
  tell: (question: Question) => Promise<string>,
): Promise<string> {
  let answer = await signInBySrp(ask, { ...pool, username, password: await tell('password') });
  while (!answer.AuthenticationResult) {
    const { ChallengeName, Session } = answer;
    answer = await ask('RespondToAuthChallenge', {
      ClientId: pool.clientId,
      ChallengeName,
      Session,
      ChallengeResponses: { USERNAME: username, ...(await responseTo(ChallengeName, tell)) },
    });
  }
  return answer.AuthenticationResult.AccessToken;
}

async function responseTo(
  challenge: string,
  tell: (question: Question) => Promise<string>,
): Promise<Record<string, string>> {
  switch (challenge) {
    case 'NEW_PASSWORD_REQUIRED':
      return { NEW_PASSWORD: await tell('new password') };
    case 'SOFTWARE_TOKEN_MFA':
      return { SOFTWARE_TOKEN_MFA_CODE: await tell('code') };
    default:
      throw new Error(`the pool asks for ${challenge}, which cannot be answered here`);
  }
}
