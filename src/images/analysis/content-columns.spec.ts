import { databaseJson, FACT_COLUMNS, factsRow } from './content-columns.js';

describe('JSON for the database', () => {
  it('has neither NUL nor half characters, which PostgreSQL refuses', () => {
    const json = databaseJson({
      'l\0ens': 'EF\0 50mm',
      tags: { broken: 'a\ud83d', whole: '🐎', list: ['\0'], path: 'c:\\u0000' },
    });
    expect(JSON.parse(json)).toEqual({
      lens: 'EF 50mm',
      tags: { broken: 'a\ufffd', whole: '🐎', list: [''], path: 'c:\\u0000' },
    });
  });
});

describe('the row of a file that is no picture', () => {
  it('has every column, empty', () => {
    const row = factsRow(undefined);
    expect(Object.keys(row)).toEqual(FACT_COLUMNS);
    expect(Object.values(row).filter((value) => value !== undefined)).toEqual([[]]);
  });
});
