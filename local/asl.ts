/*
 * Reads an Amazon States Language definition for the interpreter (aws-local-stepfunctions): refuses by name what it
 * would run differently from AWS, and rewrites what it gets wrong but can express in another way.
 */

/** How a Task state reaches its function: its result is the function's, or Lambda's whole answer. */
export interface LambdaTask {
  readonly kind: 'function' | 'invoke';
  /** ARN; for `invoke` the function is named in the task's input. */
  readonly resource: string;
}

interface Definition {
  /** For the interpreter. */
  readonly definition: any;
  /** Every Task state, nested ones too, by name. */
  readonly tasks: ReadonlyMap<string, LambdaTask>;
}

/** Seconds an Express execution may take. */
const expressLimit = 300;
/** Seconds; AWS sets no limit on a task without one, the interpreter would set a minute. Timers end at 24 days. */
const unlimitedTask = 2_000_000;

const refusedFields: Record<string, readonly string[]> = {
  Task: ['HeartbeatSeconds', 'HeartbeatSecondsPath', 'Credentials'],
  Map: [
    'ItemReader',
    'ItemBatcher',
    'ResultWriter',
    'ToleratedFailureCount',
    'ToleratedFailurePercentage',
    'Label',
  ],
};
const stateTypes = ['Task', 'Pass', 'Choice', 'Wait', 'Succeed', 'Fail', 'Parallel', 'Map'];

/**
 * @param where names the state machine in errors
 * @throws Error naming the state and field that are not emulated
 */
export function readDefinition(source: any, express: boolean, where: string): Definition {
  const tasks = new Map<string, LambdaTask>();
  const names = new Set<string>();
  const refuse = (state: string, what: string): never => {
    throw new Error(`${where}: ${state ? `state ${state}: ` : ''}${what} is not emulated`);
  };

  function readMachine(machine: any, at: string): any {
    if ((machine.QueryLanguage ?? 'JSONPath') !== 'JSONPath')
      refuse(at, `QueryLanguage ${machine.QueryLanguage}`);
    if ((machine.ProcessorConfig?.Mode ?? 'INLINE') !== 'INLINE') refuse(at, 'distributed Map');
    const states = Object.entries(machine.States ?? {}).map(([name, state]) => [
      name,
      readState(name, state),
    ]);
    return { ...machine, States: Object.fromEntries(states) };
  }

  function readState(name: string, original: any): any {
    if (names.has(name)) refuse(name, 'a second state of the same name');
    names.add(name);
    if (!stateTypes.includes(original.Type)) refuse(name, `Type ${original.Type}`);
    if ((original.QueryLanguage ?? 'JSONPath') !== 'JSONPath')
      refuse(name, `QueryLanguage ${original.QueryLanguage}`);
    for (const field of [...(refusedFields[original.Type] ?? []), 'Assign', 'Arguments', 'Output'])
      if (field in original) refuse(name, field);
    const state = { ...original };
    // Machines inside a state read their own paths.
    for (const field of Object.keys(state))
      if (!['Branches', 'ItemProcessor', 'Iterator'].includes(field))
        state[field] = readPaths(state[field], field, name);
    fixResultPath(state, name);
    if (state.Catch) for (const catcher of state.Catch) fixResultPath(catcher, name);
    if (state.Type === 'Task') readTask(state, name);
    if (state.Type === 'Choice') state.Choices = state.Choices?.map((choice: any) => fixChoice(choice));
    // The interpreter ignores a Result that is false, 0, "" or null; Parameters it does not.
    if (state.Type === 'Pass' && 'Result' in state && !state.Result) refuse(name, `Result ${state.Result}`);
    if (state.Branches) state.Branches = state.Branches.map((branch: any) => readMachine(branch, name));
    for (const field of ['ItemProcessor', 'Iterator'])
      if (state[field]) state[field] = readMachine(state[field], name);
    return state;
  }

  function readTask(state: any, name: string): void {
    const resource = String(state.Resource);
    if (/^arn:[\w-]+:lambda:/.test(resource)) tasks.set(name, { kind: 'function', resource });
    else if (/^arn:[\w-]+:states:::lambda:invoke$/.test(resource))
      tasks.set(name, { kind: 'invoke', resource });
    else refuse(name, `Resource ${resource}`);
    if (!('TimeoutSeconds' in state) && !('TimeoutSecondsPath' in state))
      state.TimeoutSeconds = unlimitedTask;
  }

  function readPaths(value: any, field: string, state: string): any {
    if (typeof value === 'string') {
      const isPath = field.endsWith('.$') || field.endsWith('Path') || field === 'Variable';
      return isPath ? readPath(value, state) : value;
    }
    if (Array.isArray(value)) return value.map((item) => readPaths(item, '', state));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, member]) => [key, readPaths(member, key, state)]),
    );
  }

  /** A path that can find several values yields one value or a list by chance in the interpreter: refused. */
  function readPath(path: string, state: string): string {
    const code = path.replace(/(?<!\[)'(?:[^'\\]|\\.)*'/g, "''");
    if (/\.\.|\.\*|\[\*|\[\?|\[[^\]'"]*[:,]/.test(code)) refuse(state, `path ${path}`);
    for (const [, context] of code.matchAll(/\$\$\.?([\w.]*)/g))
      if (!/^(Execution\.(Id|Name|RoleArn|StartTime|Input)|StateMachine\.|Map\.Item\.)/.test(context ?? ''))
        refuse(state, `context object path ${path}`);
    // The interpreter overwrites StartTime with real time and Input with a nested machine's input; Run is ours.
    return path.replaceAll('$$.Execution.', '$$$$.Run.');
  }

  function fixResultPath(holder: any, state: string): void {
    // The interpreter would write a member named "$".
    if (holder.ResultPath === '$') delete holder.ResultPath;
    else if (typeof holder.ResultPath === 'string' && !/^\$(\.[\w-]+)+$/.test(holder.ResultPath))
      refuse(state, `ResultPath ${holder.ResultPath}`);
  }

  /** `IsPresent: false` and its like never hold in the interpreter; the negation of `true` does. */
  function fixChoice(rule: any): any {
    if (rule.And) return { ...rule, And: rule.And.map(fixChoice) };
    if (rule.Or) return { ...rule, Or: rule.Or.map(fixChoice) };
    if (rule.Not) return { ...rule, Not: fixChoice(rule.Not) };
    const test = Object.keys(rule).find((key) => key.startsWith('Is') && rule[key] === false);
    if (!test) return rule;
    const next = rule.Next === undefined ? {} : { Next: rule.Next };
    return { Not: { Variable: rule.Variable, [test]: true }, ...next };
  }

  const definition = readMachine(source, '');
  if (express) definition.TimeoutSeconds = Math.min(definition.TimeoutSeconds ?? expressLimit, expressLimit);
  return { definition, tasks };
}
