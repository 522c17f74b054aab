/* global jest */
// These tests start, stop and kill real processes on a machine that may be doing other things. On CI one that fails is
// tried once more, and its first failure is printed: what fails twice is broken, what fails once is looked into.
if (process.env.CI) jest.retryTimes(1, { logErrorsBeforeRetry: true });
