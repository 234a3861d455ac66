/** An address as it may be shown in a history: enough to know it again, too little to write to it. */
export const maskedAddress = (channel: 'email' | 'phone', address: string): string => {
  if (channel === 'phone') return `${address.slice(0, 3)}***${address.slice(-2)}`;
  const at = address.lastIndexOf('@');
  return `${address.slice(0, 1)}***${address.slice(at)}`;
};
