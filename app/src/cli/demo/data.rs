//! Sample users and students of a temporary store.

use adapter_argon2::{Argon2Hasher, Limits};
use domain::access::Role;
use domain::record::Record;
use domain::student::{Age, ExternalId, RollNumber, Student, StudentName};
use domain::user::{NewUser, Password, PasswordHasher, Share, User};
use domain::{Actor, Email, Text};

use crate::cli::failure::Failure;
use crate::stores::Stores;

/// Name and age. The email address is derived from the name. Roll numbers start at 101.
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

/// Creates users with the same password, which is not checked against the rules for new passwords.
pub async fn create_users(
    stores: &Stores,
    users: &[(&str, Role)],
    password: &str,
    by: &Actor,
) -> Result<Vec<Record<User>>, Failure> {
    let hasher = Argon2Hasher::new(Limits::default())?;
    let mut created = Vec::new();
    for (username, role) in users {
        let password = hasher.hash(Password::parse(password)?, Share::LOCAL).await?;
        let new = NewUser { username: username.parse()?, password, role: *role, one_time_until: None };
        created.push(stores.users.insert(new, by).await?);
    }
    Ok(created)
}

/// Creates the 25 students.
pub async fn create_students(stores: &Stores, by: &Actor) -> Result<Vec<Record<Student>>, Failure> {
    let mut created = Vec::new();
    for (roll_no, (name, age)) in (101..).zip(STUDENTS) {
        let student = Student {
            name: StudentName::parse(name)?,
            email: Email::parse(format!("{}@example.org", name.to_lowercase().replace(' ', ".")))?,
            roll_no: RollNumber::parse(roll_no)?,
            age: age.map(Age::parse).transpose()?,
            external_id: Some(ExternalId::parse(format!("A{roll_no}"))?),
        };
        created.push(stores.students.insert(student, by).await?);
    }
    Ok(created)
}
