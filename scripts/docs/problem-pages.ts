import { type ProblemCode, problems, problemType } from '../../functions/kernel/errors.ts';
import type { ContextContract } from './contracts.ts';
import { publicRoutes } from './openapi.ts';
import { problemsOf } from './openapi-problems.ts';
import { problemTexts } from './problem-texts.ts';

/** One page for each problem type: `problems/<code>.md` and its text. */
export function problemPages(contracts: readonly ContextContract[]): readonly (readonly [string, string])[] {
  const answered = publicRoutes(contracts).map(({ route }) => ({
    name: `\`${route.method} ${route.path}\``,
    codes: new Set(problemsOf(route).flatMap(([, codes]) => codes)),
  }));
  return (Object.keys(problems) as ProblemCode[]).map((code) => {
    const routes = answered.filter(({ codes }) => codes.has(code)).map(({ name }) => name);
    return [`problems/${code}.md`, page(code, routes, answered.length)] as const;
  });
}

function page(code: ProblemCode, routes: readonly string[], all: number): string {
  const [status, title] = problems[code];
  const { cause, remedy, members } = problemTexts[code];
  return (
    [
      `# ${title}`,
      `Status ${status}, type \`${problemType(code)}\``,
      `**Cause.** ${cause}`,
      `**Remedy.** ${remedy}`,
      ...(members ? [`**Further fields.** ${members}`] : []),
      ...(routes.length === 0
        ? []
        : [`**Answered by.** ${routes.length === all ? 'every route' : routes.join(', ')}`]),
      '',
    ]
      .join('\n\n')
      .trimEnd() + '\n'
  );
}
