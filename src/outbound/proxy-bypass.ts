import ipaddr from 'ipaddr.js';

/**
 * Which URLs are reached without the proxy. The list is that of curl's `NO_PROXY`: names match themselves and what
 * lies below them, `*` matches everything; addresses and CIDRs match literals; `name:port` wants that port.
 */
export function createProxyBypass(list: string): (url: URL) => boolean {
  const rules = list
    .split(',')
    .map((rule) => rule.trim().toLowerCase())
    .filter((rule) => rule !== '');
  return (url) => rules.some((rule) => matches(rule, url));
}

function matches(rule: string, url: URL): boolean {
  if (rule === '*') return true;
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (ipaddr.isValidCIDR(rule)) {
    const network = ipaddr.parseCIDR(rule);
    if (!ipaddr.isValid(host)) return false;
    const address = ipaddr.parse(host);
    return address.kind() === network[0].kind() && address.match(network);
  }
  if (ipaddr.isValid(rule))
    return ipaddr.isValid(host) && ipaddr.parse(rule).toString() === ipaddr.parse(host).toString();
  const [name = '', port] = rule.replace(/^\*?\./, '').split(':');
  const actualPort = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
  return (port === undefined || port === actualPort) && (host === name || host.endsWith(`.${name}`));
}
