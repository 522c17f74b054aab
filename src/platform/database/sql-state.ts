/** None of them begins with an E: those are the operating system's (`EPIPE`, `EBADF`, `E2BIG`). */
const SQLSTATE = /^[0-9A-DF-Z][0-9A-Z]{4}$/;

/** PostgreSQL's five-character code of an error, however deep a library has wrapped it. */
export function sqlState(error: unknown): string | undefined {
  for (let current = error, depth = 0; depth < 4 && typeof current === 'object' && current !== null; depth += 1) {
    const { code, driverError, cause } = current as { code?: unknown; driverError?: unknown; cause?: unknown };
    if (typeof code === 'string' && SQLSTATE.test(code)) return code;
    current = driverError ?? cause;
  }
  return undefined;
}

/** The transaction lost against another one; running it again as a whole is right. */
export function isSerializationFailure(error: unknown): boolean {
  return ['40001', '40P01'].includes(sqlState(error) ?? '');
}
