import { type Currency, majorFromMinor } from '@payflow/kernel';
import { XMLBuilder } from 'fast-xml-parser';

/** ISO 20022 CustomerCreditTransferInitiationV09. */
const NAMESPACE = 'urn:iso:std:iso:20022:tech:xsd:pain.001.001.09';

/** A payout as the bank is told of it. */
export interface CreditTransfer {
  /** Ours; it comes back in the statement as EndToEndId. At most 35 characters. */
  readonly reference: string;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly creditorName: string;
  readonly creditorIban: string;
  readonly remittance: string;
}

export interface PaymentFile {
  /** The same id is the same file to the bank: sent twice, it pays once. At most 31 characters. */
  readonly id: string;
  readonly createdAt: Date;
  /** Where the money comes from. */
  readonly bank: string;
  readonly transfers: readonly CreditTransfer[];
}

const DEBTOR = 'PayFlow';

// It is to move to a package of its own, and is the same there.
// eslint-disable-next-line @typescript-eslint/no-deprecated
const builder = new XMLBuilder({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  format: true,
  suppressEmptyNode: true,
});

/** A pain.001.001.09 document: a payment information for each currency, by currency, in the order of the transfers. */
export const paymentInitiationOf = (file: PaymentFile): string => {
  const { id, createdAt, bank, transfers } = file;
  const currencies = [...new Set(transfers.map(({ currency }) => currency))].sort();
  const document = {
    '?xml': { '@version': '1.0', '@encoding': 'UTF-8' },
    Document: {
      '@xmlns': NAMESPACE,
      CstmrCdtTrfInitn: {
        GrpHdr: {
          MsgId: id,
          CreDtTm: createdAt.toISOString(),
          NbOfTxs: String(transfers.length),
          InitgPty: { Nm: DEBTOR },
        },
        PmtInf: currencies.map((currency) =>
          paymentInformationOf(
            file,
            currency,
            bank,
            transfers.filter((transfer) => transfer.currency === currency),
          ),
        ),
      },
    },
  };
  return builder.build(document);
};

const paymentInformationOf = (
  { id, createdAt }: PaymentFile,
  currency: string,
  bank: string,
  transfers: readonly CreditTransfer[],
) => ({
  PmtInfId: `${id}-${currency}`,
  PmtMtd: 'TRF',
  NbOfTxs: String(transfers.length),
  CtrlSum: major(
    transfers.reduce((sum, { amountMinor }) => sum + amountMinor, 0n),
    currency,
  ),
  ReqdExctnDt: { Dt: createdAt.toISOString().slice(0, 'YYYY-MM-DD'.length) },
  Dbtr: { Nm: DEBTOR },
  DbtrAcct: { Id: { Othr: { Id: `payflow-${currency}` } }, Ccy: currency },
  DbtrAgt: { FinInstnId: { Othr: { Id: bank } } },
  ChrgBr: 'SLEV',
  CdtTrfTxInf: transfers.map((transfer) => ({
    PmtId: { EndToEndId: transfer.reference },
    Amt: { InstdAmt: { '@Ccy': currency, '#text': major(transfer.amountMinor, currency) } },
    Cdtr: { Nm: transfer.creditorName },
    CdtrAcct: { Id: { IBAN: transfer.creditorIban } },
    RmtInf: { Ustrd: transfer.remittance },
  })),
});

const major = (amountMinor: bigint, currency: string): string =>
  majorFromMinor({ amountMinor, currency: currency as Currency });
