//! The fair order of waiting calls.

use std::collections::VecDeque;
use std::net::IpAddr;

use domain::network;
use domain::user::Share;

/// Waiting calls: each network in turn, and of a network each account in turn.
pub(crate) struct Waiting<T> {
    networks: VecDeque<Network<T>>,
}

struct Network<T> {
    address: IpAddr,
    accounts: VecDeque<Account<T>>,
}

struct Account<T> {
    account: u64,
    calls: VecDeque<T>,
}

impl<T> Default for Waiting<T> {
    fn default() -> Self {
        Self { networks: VecDeque::new() }
    }
}

impl<T> Network<T> {
    fn len(&self) -> usize {
        self.accounts.iter().map(|account| account.calls.len()).sum()
    }

    fn len_of(&self, account: u64) -> usize {
        self.accounts.iter().find(|known| known.account == account).map_or(0, |known| known.calls.len())
    }

    /// Removes the last call of the largest account, if this account has at least `min` calls.
    fn remove_last(&mut self, min: usize) -> Option<T> {
        let largest = self.accounts.iter_mut().max_by_key(|account| account.calls.len())?;
        if largest.calls.len() < min { None } else { largest.calls.pop_back() }
    }
}

impl<T> Waiting<T> {
    pub fn len(&self) -> usize {
        self.networks.iter().map(Network::len).sum()
    }

    /// Adds a call behind those of the same account and network.
    pub fn push(&mut self, share: Share, call: T) {
        let Share { client, account } = share;
        let address = network(client);
        let network = entry(
            &mut self.networks,
            |network| network.address == address,
            || Network { address, accounts: VecDeque::new() },
        );
        let account = entry(
            &mut network.accounts,
            |known| known.account == account,
            || Account { account, calls: VecDeque::new() },
        );
        account.calls.push_back(call);
    }

    /// Removes the next call.
    pub fn pop(&mut self) -> Option<T> {
        let mut network = self.networks.pop_front()?;
        let mut account = network.accounts.pop_front()?;
        let call = account.calls.pop_front();
        if !account.calls.is_empty() {
            network.accounts.push_back(account);
        }
        if !network.accounts.is_empty() {
            self.networks.push_back(network);
        }
        call
    }

    /// Removes the last call of the largest account of the largest network, if this network has at least two calls more than that
    /// of the share; otherwise of the largest account of the share's network, if this account has at least two calls more than
    /// that of the share. Returns `false` if none was removed.
    pub fn make_room_for(&mut self, share: Share) -> bool {
        let address = network(share.client);
        let own = self.networks.iter().find(|network| network.address == address).map_or(0, Network::len);
        let larger = self.networks.iter_mut().max_by_key(|network| network.len()).filter(|it| it.len() >= own + 2);
        let removed = if let Some(network) = larger {
            network.remove_last(0)
        } else {
            let network = self.networks.iter_mut().find(|network| network.address == address);
            network.and_then(|network| network.remove_last(network.len_of(share.account) + 2))
        };
        self.retain(|_| true);
        removed.is_some()
    }

    /// Removes calls, and the networks and accounts without a call.
    pub fn retain(&mut self, mut keep: impl FnMut(&T) -> bool) {
        for network in &mut self.networks {
            network.accounts.iter_mut().for_each(|account| account.calls.retain(&mut keep));
            network.accounts.retain(|account| !account.calls.is_empty());
        }
        self.networks.retain(|network| !network.accounts.is_empty());
    }
}

/// The entry that matches, added if there is none.
fn entry<E>(entries: &mut VecDeque<E>, is_match: impl Fn(&E) -> bool, new: impl FnOnce() -> E) -> &mut E {
    let position = entries.iter().position(is_match).unwrap_or_else(|| {
        entries.push_back(new());
        entries.len() - 1
    });
    &mut entries[position]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(client: &str, account: u64) -> Share {
        Share { client: client.parse().unwrap(), account }
    }

    fn order(mut waiting: Waiting<&'static str>) -> Vec<&'static str> {
        std::iter::from_fn(|| waiting.pop()).collect()
    }

    #[test]
    fn networks_and_their_accounts_take_turns() {
        let mut waiting = Waiting::default();
        for (client, account, call) in [
            ("192.0.2.1", 1, "a1"),
            ("192.0.2.1", 1, "a2"),
            ("192.0.2.1", 1, "a3"),
            ("192.0.2.1", 2, "b1"),
            ("2001:db8:0:1::7", 3, "c1"),
            ("2001:db8:0:1::8", 3, "c2"),
        ] {
            waiting.push(share(client, account), call);
        }
        assert_eq!(waiting.len(), 6);
        assert_eq!(order(waiting), ["a1", "c1", "b1", "c2", "a2", "a3"]);
    }

    #[test]
    fn largest_network_makes_room_for_smaller_ones() {
        let mut waiting = Waiting::default();
        for (account, call) in [(1, "a1"), (1, "a2"), (2, "b1")] {
            waiting.push(share("192.0.2.1", account), call);
        }
        assert!(waiting.make_room_for(share("192.0.2.2", 1)));
        waiting.push(share("192.0.2.2", 1), "c1");
        assert!(!waiting.make_room_for(share("192.0.2.2", 1)), "an equal share");
        assert_eq!(order(waiting), ["a1", "c1", "b1"]);
    }

    #[test]
    fn largest_account_makes_room_for_smaller_ones_of_its_network() {
        let mut waiting = Waiting::default();
        for (account, call) in [(1, "a1"), (1, "a2"), (1, "a3"), (2, "b1"), (2, "b2")] {
            waiting.push(share("192.0.2.1", account), call);
        }
        assert!(!waiting.make_room_for(share("192.0.2.1", 1)), "the same account");
        assert!(!waiting.make_room_for(share("192.0.2.1", 2)), "an account with one call less");
        assert!(waiting.make_room_for(share("192.0.2.1", 3)));
        waiting.push(share("192.0.2.1", 3), "c1");
        assert_eq!(order(waiting), ["a1", "b1", "c1", "a2", "b2"]);
    }
}
