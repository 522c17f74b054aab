import { isDeeperThan } from '../../platform/values/nested.js';

/** Deeper JSON than anybody writes by hand; what recurses over it stays far from the end of the stack. */
export const DEEPEST_JSON = 64;
export const TOO_DEEP = `is nested too deeply: there may be ${String(DEEPEST_JSON)} levels`;

/** Whether JSON is nested more deeply than {@link DEEPEST_JSON}. */
export const isTooDeep = (value: unknown): boolean => isDeeperThan(DEEPEST_JSON, value);
