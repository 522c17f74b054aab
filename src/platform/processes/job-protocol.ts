/** What a child offers: methods by name. Arguments and results must survive a structured clone. */
export type JobMethods = Readonly<Record<string, (...args: never[]) => unknown>>;

/** Parent → child. One at a time, so nothing needs an id. */
export interface JobCall {
  readonly method: string;
  readonly args: readonly unknown[];
}

/** Child → parent, when a call has arrived: from here on a death may be the job's doing. */
export const JOB_BEGUN = 'begun';

/** Child → parent. */
export type JobReply = { readonly rssBytes: number } & (
  | { readonly ok: true; readonly result: unknown }
  | {
      readonly ok: false;
      readonly message: string;
      readonly code: string | undefined;
      readonly stack: string | undefined;
    }
);

/** What a child is told on its command line, as `[parentPid, maxRssBytes]`. */
export interface ChildArguments {
  readonly parentPid: number;
  readonly maxRssBytes: number;
}

export const toArgv = ({ parentPid, maxRssBytes }: ChildArguments): string[] => [
  String(parentPid),
  String(maxRssBytes),
];

export const fromArgv = (argv: readonly string[]): ChildArguments => ({
  parentPid: Number(argv[0]),
  maxRssBytes: Number(argv[1]),
});
