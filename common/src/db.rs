//! The pool and one file per table; handlers own transactions.
