/** What the code of cells calls in the place of what it cannot say. */
export const IMPORT = '__kernelImport';
export const META = '__kernelMeta';
export const HOLD = '__kernelHold';
