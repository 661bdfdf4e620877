import ipaddr from 'ipaddr.js';

/**
 * Decides which URLs bypass the proxy. The list follows curl's `NO_PROXY`: a name matches itself and its
 * subdomains, `*` matches everything, addresses and CIDRs match literal addresses, and `name:port` requires that
 * port.
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
