/** The ledger's accounts of the bank that withdrawals are paid by, and of what payments to PayFlow itself have brought in. */
export const bankInTransit = (bank: string): string => `bank:${bank}:in_transit`;
export const bankCash = (bank: string): string => `bank:${bank}:cash`;
export const merchantPayable = (merchantId: string): string => `merchant:${merchantId}:payable`;
