//! Who is in a demo.

use adapter_argon2::{Argon2Hasher, Limits};
use domain::student::{Age, Email, RollNumber, StudentFields, StudentName};
use domain::user::{NewUser, Password, PasswordHasher, Role};
use domain::{Actor, Clock, Who};

use crate::cli::failure::Failure;
use crate::stores::Stores;
use crate::system::SystemClock;

/// Name and role; everybody's password is [`PASSWORD`], which breaks the rules for new ones.
const USERS: [(&str, Role); 3] = [("shantanu", Role::Registrar), ("admin", Role::Admin), ("guest", Role::Viewer)];

const PASSWORD: &str = "password";

/// Name and age. The email address is made of the name, and the roll numbers begin at 101.
const STUDENTS: [(&str, Option<i64>); 25] = [
    ("Asha Patil", Some(20)),
    ("Rohan Deshmukh", Some(21)),
    ("Meera Iyer", Some(19)),
    ("Kabir Singh", Some(22)),
    ("Ananya Ghosh", Some(20)),
    ("Vikram Rao", Some(23)),
    ("Sneha Kulkarni", Some(21)),
    ("Arjun Menon", None),
    ("Priya Sharma", Some(18)),
    ("Imran Qureshi", Some(24)),
    ("Kavya Reddy", Some(20)),
    ("Daniel Fernandes", Some(22)),
    ("Ishita Banerjee", Some(19)),
    ("Harpreet Kaur", Some(21)),
    ("Nikhil Joshi", Some(20)),
    ("Fatima Sheikh", Some(23)),
    ("Aditya Verma", Some(18)),
    ("Lakshmi Nair", None),
    ("Samuel Thomas", Some(25)),
    ("Pooja Chavan", Some(20)),
    ("Yash Agarwal", Some(22)),
    ("Tara Bhatt", Some(19)),
    ("Zoya Khan", Some(21)),
    ("Manish Gupta", Some(26)),
    ("Ritu Saxena", Some(20)),
];

/// Fills an empty store.
pub async fn fill(stores: &Stores) -> Result<(), Failure> {
    let by = Actor::here(Who::Service, SystemClock.now());
    let hasher = Argon2Hasher::new(Limits::default())?;
    for (username, role) in USERS {
        let password = hasher.hash(Password::parse(PASSWORD)?).await?;
        stores
            .users
            .insert(NewUser { username: username.parse()?, password, role, password_change_due: false }, &by)
            .await?;
    }
    for (roll_no, (name, age)) in (101..).zip(STUDENTS) {
        let student = StudentFields {
            name: StudentName::parse(name)?,
            email: Email::parse(format!("{}@example.org", name.to_lowercase().replace(' ', ".")))?,
            roll_no: RollNumber::parse(roll_no)?,
            age: age.map(Age::parse).transpose()?,
        };
        stores.students.insert(student, &by).await?;
    }
    Ok(())
}
