/** An encrypted secret: `record` is opaque, `keyId` names the key of the ring that opens it. */
export interface SealedSecret {
  keyId: string;
  record: Buffer;
}

/** Where a secret belongs. The record is bound to it: it does not open for another row, column or version. */
export interface SealContext {
  table: string;
  rowId: string;
  /** Counts the values that this column has held. */
  version: number;
  /** The column, where a row holds several secrets; default `secret`. */
  column?: string;
}
