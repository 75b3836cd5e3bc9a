// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {IRightsRegistry} from "../interfaces/IRightsRegistry.sol";

/// @title Territory codes of five ASCII bytes, and lists of them packed six to a word
/// @dev A country is two letters and three zero bytes; a subdivision has one to three letters or digits more. In ascending
/// order a country stands directly before its own subdivisions.
library Territories {
    /// @notice Codes that a set of rights may name.
    uint256 internal constant MOST = 60;
    uint256 private constant PER_WORD = 6;
    uint256 private constant CODE_BITS = 40;

    /// @dev The country that a code lies in, or is.
    function countryOf(bytes5 code) internal pure returns (bytes5) {
        return code & 0xffff000000;
    }

    /// @dev Whether a use in `inner` is one in `outer`.
    function covers(bytes5 outer, bytes5 inner) internal pure returns (bool) {
        return outer == inner || outer == countryOf(inner);
    }

    /// @dev Two capital letters, then up to three capital letters or digits, then zeros.
    function isCode(bytes5 code) internal pure returns (bool) {
        bool ended;
        for (uint256 i; i < 5; ++i) {
            bytes1 c = code[i];
            if (c == 0) {
                if (i < 2) return false;
                ended = true;
            } else {
                bool letter = c >= "A" && c <= "Z";
                bool digit = i >= 2 && c >= "0" && c <= "9";
                if (ended || !(letter || digit)) return false;
            }
        }
        return true;
    }

    /// @dev Reverts unless codes are well formed, ascend strictly, and none says what a country before it said.
    function check(bytes5[] calldata codes) internal pure {
        if (codes.length > MOST) revert IRightsRegistry.TooManyTerritories(codes.length, MOST);
        bytes5 before;
        bytes5 country;
        for (uint256 i; i < codes.length; ++i) {
            bytes5 code = codes[i];
            if (!isCode(code)) revert IRightsRegistry.TerritoryMalformed(code);
            if (code <= before) revert IRightsRegistry.TerritoriesNotAscending(before, code);
            if (countryOf(code) == country) revert IRightsRegistry.TerritoryCovered(country, code);
            if (countryOf(code) == code) country = code;
            before = code;
        }
    }

    /// @dev First code in the highest bits, so that words order as their first codes do.
    function store(uint256[10] storage words, bytes5[] calldata codes) internal {
        uint256 word;
        for (uint256 i; i < codes.length; ++i) {
            uint256 lane = i % PER_WORD;
            word |= uint256(uint40(codes[i])) << (256 - CODE_BITS * (lane + 1));
            if (lane == PER_WORD - 1 || i + 1 == codes.length) {
                words[i / PER_WORD] = word;
                word = 0;
            }
        }
    }

    function load(uint256[10] storage words, uint256 count) internal view returns (bytes5[] memory codes) {
        codes = new bytes5[](count);
        uint256 word;
        for (uint256 i; i < count; ++i) {
            if (i % PER_WORD == 0) word = words[i / PER_WORD];
            codes[i] = bytes5(bytes32(word));
            word <<= CODE_BITS;
        }
    }

    /// @dev Whether a code, in the highest bytes of `code`, or its country is among them.
    function contains(uint256[10] storage words, uint256 code) internal view returns (bool) {
        uint256 exact = code >> 216;
        // Places that hold no code hold zero: it is none.
        if (exact == 0) return false;
        uint256 country = exact & 0xffff000000;
        uint256 slot;
        assembly {
            slot := words.slot
        }
        unchecked {
            for (uint256 end = slot + MOST / PER_WORD; slot != end; ++slot) {
                uint256 word;
                assembly ("memory-safe") {
                    word := sload(slot)
                }
                // From the highest place down; what is below the codes is zero.
                for (uint256 rest = word; rest != 0; rest <<= CODE_BITS) {
                    uint256 held = rest >> 216;
                    if (held == exact || held == country) return true;
                    // They ascend: nothing behind can match.
                    if (held > exact) return false;
                }
                // A word whose last place is empty is the last.
                if (word << CODE_BITS * (PER_WORD - 1) == 0) return false;
            }
        }
        return false;
    }

    /// @dev Whether some place is in both. What is smaller is passed over unless it covers the other: nothing later in the
    /// other list could lie in it.
    function meet(bytes5[] memory a, bytes5[] memory b) internal pure returns (bool) {
        uint256 i;
        uint256 j;
        while (i < a.length && j < b.length) {
            if (covers(a[i], b[j]) || covers(b[j], a[i])) return true;
            if (a[i] < b[j]) ++i;
            else ++j;
        }
        return false;
    }

    /// @dev Whether every code of `inner` is covered by one of `outer`.
    function within(bytes5[] memory inner, bytes5[] memory outer) internal pure returns (bool) {
        uint256 j;
        for (uint256 i; i < inner.length; ++i) {
            // Past what ends before it, and past its country's other subdivisions: outer ascends as inner does.
            while (j < outer.length && outer[j] < inner[i] && !covers(outer[j], inner[i])) ++j;
            if (j == outer.length || !covers(outer[j], inner[i])) return false;
        }
        return true;
    }
}
