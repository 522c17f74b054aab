import { aDataset } from '../../../test/support/build-photo.js';
import { parseIptc } from './iptc.js';

const utf8Mark = Buffer.from('1c015a00031b2547', 'hex');

describe('IPTC records', () => {
  it('give the values of each dataset in order', () => {
    const record = parseIptc(Buffer.concat([aDataset(25, 'sea'), aDataset(120, 'A beach'), aDataset(25, 'sand')]));
    expect(Object.fromEntries(record)).toEqual({ Keywords: ['sea', 'sand'], 'Caption-Abstract': ['A beach'] });
  });

  it('are in the declared character set, else in what the bytes look like', () => {
    const latin = Buffer.from('Z\xfcrich', 'latin1');
    expect(parseIptc(Buffer.concat([utf8Mark, aDataset(90, 'Zürich')])).get('City')).toEqual(['Zürich']);
    expect(parseIptc(aDataset(90, 'Zürich')).get('City')).toEqual(['Zürich']);
    expect(parseIptc(aDataset(90, latin)).get('City')).toEqual(['Zürich']);
  });

  it('end where they are damaged', () => {
    const cut = Buffer.concat([aDataset(25, 'sea'), aDataset(25, 'a long keyword').subarray(0, 9)]);
    expect(parseIptc(cut).get('Keywords')).toEqual(['sea', 'a lo']);
    expect(parseIptc(Buffer.concat([aDataset(25, 'sea'), Buffer.from('noise')])).get('Keywords')).toEqual(['sea']);
    expect(parseIptc(Buffer.alloc(0)).size).toBe(0);
  });
});
