/** What both sides make of every photo: two JPEGs, and the pixels of a placeholder hash. */
export const sizes = [256, 512];
export const quality = 85;
export const placeholderPixels = 100;
