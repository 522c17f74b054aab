import { holds, conditionProblem, type Condition } from './condition.js';
import { at, isPointer, NOTHING, referencesIn, resolve, takesMoreThan } from './references.js';

const result = { a: { 'x/y': 1, 'm~n': 2, '': 3 }, list: [10, 20], none: null };

describe('a JSON pointer', () => {
  it.each<[string, unknown]>([
    ['', result],
    ['/a/x~1y', 1],
    ['/a/m~0n', 2],
    ['/a/', 3],
    ['/list/1', 20],
    ['/list/2', NOTHING],
    ['/list/-', NOTHING],
    ['/list/01', NOTHING],
    ['/list/length', NOTHING],
    ['/none', null],
    ['/none/x', NOTHING],
    ['/__proto__', NOTHING],
    ['/a/constructor', NOTHING],
  ])('"%s" points to what RFC 6901 says, and to own fields only', (pointer, expected) => {
    expect(at(result, pointer)).toEqual(expected);
  });

  it('is told from other text, also from text that could be read in very many ways', () => {
    const others = ['a', '/~', '/a~2', `${'/'.repeat(100)}~`, `${'/a~1'.repeat(1_000)}~`, 7, null];
    expect(['', '/', '//', '/a~0~1/b', '/'.repeat(100_000)].filter((pointer) => !isPointer(pointer))).toEqual([]);
    expect(others.filter(isPointer)).toEqual([]);
  });
});

describe('references', () => {
  it('are counted by the length of what they stand for, each time that they stand there', () => {
    const lengthOf = ({ path = '' }: { path?: string }): number => path.length;
    const [four, two] = ['/abc', '/a'].map((path) => ({ $from: 'p', path }));
    expect(takesMoreThan(10, { a: [four, two], b: four, c: 'x'.repeat(1_000) }, lengthOf)).toBe(false);
    expect(takesMoreThan(9, { a: [four, two], b: four }, lengthOf)).toBe(true);
  });

  it('are found at any depth and replaced by what they stand for', () => {
    const params = { n: { $from: 'p', path: '/list/0' }, deep: [{ all: { $from: 'p' } }], fixed: 1 };
    expect(referencesIn(params).map((one) => one.at)).toEqual(['params.n', 'params.deep.0.all']);
    expect(resolve(params, new Map([['p', result]]))).toEqual({ n: 10, deep: [{ all: result }], fixed: 1 });
    expect(() => resolve(params, new Map())).toThrow('params.n takes "/list/0" of the result of node "p"');
  });
});

describe('a condition', () => {
  it.each<[Omit<Condition, 'node'>, boolean]>([
    [{ path: '/list/0', equals: 10 }, true],
    [{ path: '/list', equals: [10, 20] }, true],
    [{ path: '/list/0', not: 10 }, false],
    [{ path: '/missing', not: 10 }, true],
    [{ path: '/missing', equals: null }, false],
    [{ path: '/none', equals: null }, true],
    [{ path: '/none', exists: true }, true],
    [{ path: '/missing', exists: false }, true],
    [{ path: '/list/1', in: [1, 20] }, true],
    [{ path: '/list/1', gt: 20 }, false],
    [{ path: '/list/1', gte: 20 }, true],
    [{ path: '/list/1', lt: 21 }, true],
    [{ path: '/missing', lte: 1 }, false],
    [{ path: '/a', lte: 1 }, false],
  ])('%j is %s', (test, expected) => {
    const condition = { node: 'p', ...test };
    expect([conditionProblem(condition), holds(condition, new Map([['p', result]]))]).toEqual([undefined, expected]);
  });

  it.each([
    [null],
    [[]],
    [{}],
    [{ node: 'p' }],
    [{ node: 'p', gt: '1' }],
    [{ node: 'p', in: 1 }],
    [{ node: 'p', or: 1 }],
  ])('%j is none', (value) => {
    expect(conditionProblem(value)).toEqual(expect.any(String));
  });
});
