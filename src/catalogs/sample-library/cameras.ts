/** A camera of the sample library: what it writes into its files, and how it names them. */
export interface SampleCamera {
  readonly make: string;
  readonly model: string;
  readonly lens: string;
  readonly serial: string | undefined;
  readonly software: string;
  /** Millimetres, real ones. */
  readonly focalLengthsMm: readonly [number, ...number[]];
  /** What the real focal length is multiplied by for the 35 mm equivalent. */
  readonly cropFactor: number;
  readonly fNumbers: readonly [number, ...number[]];
  readonly writesGps: boolean;
  /** OffsetTimeOriginal: phones write it, most cameras do not. */
  readonly writesOffset: boolean;
  readonly writesSubSeconds: boolean;
  /** `serial` counts the shots of this camera; `stamp` is the local time as YYYYMMDD_HHMMSS. */
  fileName(serial: number, stamp: string): string;
}

const padded = (serial: number): string => String(serial).padStart(4, '0');

export const phone: SampleCamera = {
  make: 'Apple',
  model: 'iPhone 13',
  lens: 'iPhone 13 back dual wide camera 5.1mm f/1.6',
  serial: undefined,
  software: '17.4.1',
  focalLengthsMm: [5.1],
  cropFactor: 5.1,
  fNumbers: [1.6],
  writesGps: true,
  writesOffset: true,
  writesSubSeconds: true,
  fileName: (serial) => `IMG_${padded(2_100 + serial)}.JPG`,
};

export const otherPhone: SampleCamera = {
  make: 'samsung',
  model: 'SM-G991B',
  lens: 'Samsung Galaxy S21 rear camera',
  serial: undefined,
  software: 'G991BXXS9FXA1',
  focalLengthsMm: [5.4, 2.2],
  cropFactor: 4.8,
  fNumbers: [1.8],
  writesGps: true,
  writesOffset: true,
  writesSubSeconds: true,
  fileName: (_serial, stamp) => `${stamp}.jpg`,
};

/** Linked to a receiver: it knows where it was, and UTC, but writes no offset. */
export const reflex: SampleCamera = {
  make: 'NIKON CORPORATION',
  model: 'NIKON Z 6',
  lens: 'NIKKOR Z 24-70mm f/4 S',
  serial: '6041877',
  software: 'Ver.03.60',
  focalLengthsMm: [24, 35, 50, 70],
  cropFactor: 1,
  fNumbers: [4, 5.6, 8, 11],
  writesGps: true,
  writesOffset: false,
  writesSubSeconds: true,
  fileName: (serial) => `DSC_${padded(serial)}.JPG`,
};

/** Neither position, nor zone, nor sub-seconds. */
export const compact: SampleCamera = {
  make: 'FUJIFILM',
  model: 'X-T4',
  lens: 'XF18-55mmF2.8-4 R LM OIS',
  serial: '0A123456',
  software: 'Digital Camera X-T4 Ver1.80',
  focalLengthsMm: [18, 23, 35, 55],
  cropFactor: 1.5,
  fNumbers: [2.8, 4, 5.6],
  writesGps: false,
  writesOffset: false,
  writesSubSeconds: false,
  fileName: (serial) => `DSCF${padded(300 + serial)}.JPG`,
};

export const drone: SampleCamera = {
  make: 'DJI',
  model: 'FC3170',
  lens: '24.0 mm f/2.8',
  serial: '1WNBH7P00200AB',
  software: '10.03.19.57',
  focalLengthsMm: [4.5],
  cropFactor: 5.4,
  fNumbers: [2.8],
  writesGps: true,
  writesOffset: false,
  writesSubSeconds: false,
  fileName: (serial) => `DJI_${padded(serial)}.JPG`,
};
